/// How long and how many the parts of a job document may be. The published schemas state the same figures.
public enum JobLimits {
    /// Bytes of one document as JSON or YAML.
    public static let documentBytesMax = 4 << 20
    /// Faults that are listed; further ones are counted.
    public static let faultsMax = 100

    public static let argumentsMax = 1024
    /// Of one argument; what Linux lets one string of `execve` be (`MAX_ARG_STRLEN`).
    public static let argumentBytesMax = 131_071
    /// Of all arguments together.
    public static let commandBytesMax = 262_144

    public static let parametersMax = 256
    public static let parameterNameBytesMax = 64
    /// Of all parameters as one JSON text, because they travel in one environment variable.
    public static let parametersBytesMax = 65_536

    public static let environmentMax = 256
    public static let environmentNameBytesMax = 256
    public static let environmentValueBytesMax = 32_768
    public static let environmentBytesMax = 262_144

    public static let tasksMax = 10_000
    public static let milliCoresMax = 4_096_000
    public static let memoryBytesMin = 1 << 20
    public static let memoryBytesMax = 1 << 46
    public static let cardsMax = 1024
    public static let cardNameBytesMax = 64
    /// Thirty days.
    public static let timeLimitSecondsMax = 2_592_000

    public static let arrayMax = 10_000
    public static let centresMax = 100
    public static let priorityMax = 1000
    public static let gracePeriodSecondsMax = 3600
    public static let retriesMax = 100
    public static let backoffSecondsMax = 3600
    public static let requeueAfterSecondsMax = 2_592_000

    public static let inputsMax = 256
    public static let outputsMax = 64
    public static let artifactNameBytesMax = 64
    public static let dependenciesMax = 1000
    /// Of the name of a branch, a tag or a commit.
    public static let revisionBytesMax = 200

    /// Jobs and arrays described in one workflow.
    public static let workflowJobsMax = 1000
    /// Jobs of one workflow, every element of its arrays counted.
    public static let workflowElementsMax = 100_000

    public static let versionBytesMax = 64
    public static let pathBytesMax = 1024
    public static let summaryBytesMax = 1024
    public static let licenceBytesMax = 128
    public static let descriptionBytesMax = 1024
    public static let choicesMax = 256
}
