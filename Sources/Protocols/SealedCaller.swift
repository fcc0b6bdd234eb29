import Core
import Wire

/// Callers in addresses and tokens of ours that are used without credentials, and are signed: whoever comes with one has
/// the rights of whom it was given to, as these are then, and no more than the token that it was asked for with.
extension Principal {
    /// Names consist of letters, digits and hyphens, so the dots part them.
    var sealed: String { "\(user).\(project?.text ?? "").\(isOperator ? "operator" : "")" }

    /// Reads a text whose signature was checked.
    init?(sealed text: some StringProtocol, scopes: Set<Token.Scope>) {
        let parts = text.split(separator: "." as Character, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 3, let user = UserName(parts[0]), ["", "operator"].contains(parts[2]) else { return nil }
        let project = ProjectName(parts[1])
        guard project != nil || parts[1].isEmpty else { return nil }
        self.init(user: user, isOperator: parts[2] == "operator", scopes: scopes, project: project)
    }
}
