import Core
import Testing

@testable import Engines

@Suite("Kubernetes' credentials and amounts are read")
struct KubernetesAccessTests {
    static func config(cluster: JSON, user: JSON) -> JSON {
        .object([
            ("current-context", .string("x")),
            ("clusters", .array([.object([("name", .string("c")), ("cluster", cluster)])])),
            ("users", .array([.object([("name", .string("u")), ("user", user)])])),
            (
                "contexts",
                .array([
                    .object([
                        ("name", .string("x")),
                        (
                            "context",
                            .object([("cluster", .string("c")), ("user", .string("u")), ("namespace", .string("team"))])
                        ),
                    ])
                ])
            ),
        ])
    }

    static let cluster = JSON.object([
        ("server", .string("https://10.0.0.1:6443/")), ("certificate-authority-data", .string("Q0E=")),
    ])

    @Test("a kubeconfig with a token, a token's file, or a certificate")
    func credentials() throws {
        let token = try KubernetesAccess.kubeconfig(
            Self.config(cluster: Self.cluster, user: .object([("token", .string("t"))])),
            folder: "/etc/k"
        )
        #expect(token.server == "https://10.0.0.1:6443" && token.namespace == "team")
        #expect(token.authority == Array("CA".utf8))
        guard case .token("t") = token.credential else {
            Issue.record("no token")
            return
        }
        let file = try KubernetesAccess.kubeconfig(
            Self.config(
                cluster: Self.cluster,
                user: .object([("token", .string("old")), ("tokenFile", .string("token"))])
            ),
            folder: "/etc/k"
        )
        guard case .tokenFile("/etc/k/token") = file.credential else {
            Issue.record("no token file")
            return
        }
        let user = JSON.object([
            ("client-certificate-data", .string("QQ==")), ("client-key-data", .string("Qg==")),
        ])
        let certificate = try KubernetesAccess.kubeconfig(Self.config(cluster: Self.cluster, user: user), folder: "/")
        guard case .certificate(let chain, let key) = certificate.credential else {
            Issue.record("no certificate")
            return
        }
        #expect(chain == Array("A".utf8) && key == Array("B".utf8))
        // It is no certificate, which is said before anything is called.
        #expect(throws: EngineError.self) { try KubernetesClient(certificate, selector: "a=b") }
    }

    static let refused: [(JSON, String)] = [
        (.object([]), "context"),
        (config(cluster: .object([]), user: .null), "server"),
        (
            config(
                cluster: .object([("server", .string("https://a")), ("insecure-skip-tls-verify", .bool(true))]),
                user: .null
            ), "certificate-authority"
        ), (config(cluster: cluster, user: .object([("exec", .object([]))])), "service account"),
        (config(cluster: cluster, user: .object([("client-certificate-data", .string("QQ=="))])), "client-key"),
        (config(cluster: cluster, user: .object([("client-certificate", .string("none.pem"))])), "/etc/k/none.pem"),
        (
            config(
                cluster: .object([("server", .string("https://a")), ("certificate-authority-data", .string("%"))]),
                user: .null
            ), "base64"
        ),
    ]

    @Test("what cannot be used is refused with what to do", arguments: refused.indices)
    func unusable(_ index: Int) throws {
        let (json, word) = Self.refused[index]
        do {
            _ = try KubernetesAccess.kubeconfig(json, folder: "/etc/k")
            Issue.record("it was taken")
        } catch {
            guard case .refused(let sentence) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(sentence.contains(word), "\(sentence)")
        }
    }

    @Test(
        "quantities",
        arguments: [
            ("500m", 0.5), ("2", 2), ("1.5Gi", 1.5 * 0x1p30), ("131072Ki", 131072 * 1024), ("1e3", 1000), ("4k", 4000),
            ("0", 0), ("1E", 1e18),
        ] as [(String, Double)]
    )
    func quantities(_ text: String, _ value: Double) { #expect(KubernetesQuantity.value(text) == value) }

    @Test("what is no quantity", arguments: ["", "m", "-1", "nan", "inf", "0x10", "1 Gi", "1Gi2", "١"])
    func noQuantities(_ text: String) { #expect(KubernetesQuantity.value(text) == nil) }

    @Test("the operator's table goes before the vendor's label, and counts resources of its own")
    func aliases() throws {
        let node = try #require(
            KubernetesNode(
                KubernetesNodes.node(
                    "n",
                    [("nvidia.com/gpu", "4"), ("huawei.com/Ascend910", "8"), ("kunlunxin.com/xpu", "2"), ("cpu", "1")],
                    labels: [("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-80GB"), ("chip", "910B3")]
                )
            )
        )
        let cards = KubernetesCards(aliases: [
            "nvidia.com/gpu.product=NVIDIA-A100-SXM4-80GB": "a800", "chip=910B3": "ascend-910b3",
            "kunlunxin.com/xpu": "kunlun-p800",
        ])
        #expect(cards.groups(node).map { "\($0.count) \($0.model)" } == ["4 a800", "8 ascend-910b3", "2 kunlun-p800"])
        #expect(cards.groups(node)[1].label == .init(name: "chip", value: "910B3"))
        #expect(KubernetesCards().groups(node).map(\.model) == ["a100-80gb", "huawei.com/Ascend910"])
    }
}
