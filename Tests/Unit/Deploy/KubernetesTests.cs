using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Xunit;

namespace Broker.Tests.Unit.Deploy;

public class KubernetesTests
{
    private const string Base = "deploy/kubernetes/base", FrontEnds = "deploy/kubernetes/front-ends";

    [Theory]
    [InlineData(Base, "StatefulSet/broker:broker-gateway")]
    [InlineData(FrontEnds, "Deployment/broker-gateway:broker-gateway StatefulSet/broker-silo:broker-silo")]
    public void EverythingFits_WhenBuilt(string folder, string workloads)
    {
        var objects = Objects(folder, SourceTree.Text);
        Assert.Equal([], new KubernetesFaults(objects).All());
        var version = XDocument.Parse(SourceTree.Text("Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.Equal(workloads.Split(' ').Select(workload => $"{workload}:{version}"), Containers(objects).Select(pair =>
            $"{pair.Owner.Text("kind")}/{pair.Owner.Text("metadata/name")}:{pair.Container.Text("image")}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(Base, "nodes.yaml", "serviceName: broker-members", "serviceName: other", "StatefulSet/broker: serviceName other is no headless service of its pods")]
    [InlineData(Base, "nodes.yaml", "  selector:\n    matchLabels:\n      app.kubernetes.io/name: broker", "  selector:\n    matchLabels:\n      app.kubernetes.io/name: other", "StatefulSet/broker: selector does not match its own template")]
    [InlineData(Base, "nodes.yaml", "secretName: broker-database", "secretName: other", "StatefulSet/broker: Secret/other is not there")]
    [InlineData(Base, "nodes.yaml", "name: broker-settings", "name: other", "StatefulSet/broker: ConfigMap/other is not there")]
    [InlineData(Base, "nodes.yaml", "              path: /health/ready\n              port: admin", "              path: /health/ready\n              port: http", "StatefulSet/broker: readinessProbe asks port http, which is no port of its container")]
    [InlineData(Base, "nodes.yaml", "readinessProbe:", "xProbe:", "StatefulSet/broker: no readinessProbe")]
    [InlineData(Base, "nodes.yaml", "mountPath: /run/secrets/broker", "mountPath: /run/secrets", "StatefulSet/broker: /run/secrets/broker/password is no key of a mounted secret")]
    [InlineData(Base, "nodes.yaml", "        - name: tmp\n          emptyDir: {}\n", "", "StatefulSet/broker: mounts tmp, which is no volume")]
    [InlineData(Base, "nodes.yaml", "containerPort: 7800", "containerPort: 7801", "StatefulSet/broker: Cluster:Port is 7800, its port 7801")]
    [InlineData(Base, "nodes.yaml", "- name: mqtt\n", "- name: tcp\n", "Service/broker: port mqtt is no port of StatefulSet/broker")]
    [InlineData(Base, "nodes.yaml", "  serviceName", "  replicas: 3\n  serviceName", "HorizontalPodAutoscaler/broker: StatefulSet/broker sets replicas too")]
    [InlineData(Base, "nodes.yaml", "apiVersion: apps/v1\n", "", "StatefulSet/broker has no apiVersion")]
    [InlineData(Base, "secret.example.yaml", "  password:", "  pass:", "StatefulSet/broker: /run/secrets/broker/password is no key of a mounted secret")]
    [InlineData(Base, "services.yaml", "broker/serves: mqtt", "broker/serves: http", "Service/broker: selects no pods")]
    [InlineData(Base, "services.yaml", "  clusterIP: None\n", "", "StatefulSet/broker: serviceName broker-members is no headless service of its pods")]
    [InlineData(Base, "scaling.yaml", "component: node", "component: silo", "PodDisruptionBudget/broker: does not stand for one workload")]
    [InlineData(Base, "scaling.yaml", "    kind: StatefulSet", "    kind: Deployment", "HorizontalPodAutoscaler/broker: scales nothing")]
    [InlineData(Base, "network-policy.yaml", "- port: members", "- port: silo", "NetworkPolicy/broker: port silo is nobody's")]
    [InlineData(Base, "network-policy.yaml", "    - from:\n        - podSelector: {}\n      ports:", "    - ports:", "NetworkPolicy/broker: port admin is open to all")]
    [InlineData(FrontEnds, "silos.yaml", "component: silo\n  template", "component: gateway\n  template", "StatefulSet/broker-silo: selector does not match its own template")]
    [InlineData(FrontEnds, "gateways.yaml", "              app.kubernetes.io/component: gateway\n      containers", "              app.kubernetes.io/component: node\n      containers", "Deployment/broker-gateway: spreading over topology.kubernetes.io/zone does not count its own pods")]
    [InlineData(FrontEnds, "gateways.yaml", "name: broker-gateway\n  labels", "name: gateway\n  labels", "HorizontalPodAutoscaler/broker-gateway: scales nothing")]
    public void FaultIsFound_WhenFileIsBroken(string folder, string file, string old, string broken, string fault) =>
        Assert.Contains(fault, new KubernetesFaults(Objects(folder, Broken($"{folder}/{file}", old, broken))).All());

    [Fact]
    public void PatchMustHit_WhenItDeletes() => Assert.Throws<InvalidOperationException>(() =>
        Objects(FrontEnds, Broken($"{FrontEnds}/kustomization.yaml", "kind: StatefulSet", "kind: Job")));

    [Theory]
    [InlineData(Base)]
    [InlineData(FrontEnds)]
    public void KubectlBuildsTheSame_WhenInstalled(string folder)
    {
        var run = DeployTree.Run("kubectl", "kustomize", Path.Combine(SourceTree.Root, folder));
        Assert.SkipWhen(run is null, "kubectl is not installed");
        Assert.True(run!.Value.Code == 0, run.Value.Output);
        var built = DeployTree.Yaml(run.Value.Output).Select(document => document!).ToList();
        Assert.Equal([], new KubernetesFaults([.. built, Secret(SourceTree.Text)]).All());
        Assert.Equal(Kinds(Kustomization.Build(folder, SourceTree.Text)), Kinds(built));
    }

    [Theory]
    [InlineData(Base)]
    [InlineData(FrontEnds)]
    public void GatewaysTurnUnreadyInTime_WhenTheyDrain(string folder)
    {
        var objects = Objects(folder, SourceTree.Text);
        var settings = objects.Single(candidate => candidate.Text("kind") == "ConfigMap");
        var delay = TimeSpan.Parse(settings.Text("data/Broker__Cluster__DrainDelay")!, CultureInfo.InvariantCulture);
        foreach (var (_, container) in Containers(objects))
        {
            var noticed = int.Parse(container.Text("readinessProbe/periodSeconds")!, CultureInfo.InvariantCulture)
                * int.Parse(container.Text("readinessProbe/failureThreshold")!, CultureInfo.InvariantCulture);
            Assert.InRange(noticed, 1, delay.TotalSeconds - 1);
        }
    }

    [Fact]
    public void OnlyFrontEndsGoWithoutGrains_WhenApart() => Assert.Equal(
        ["broker-gateway"],
        Containers(Objects(FrontEnds, SourceTree.Text))
            .Where(pair => pair.Container.Items("env").Any(variable =>
                variable.Text("name") == "Broker__Cluster__HostGrains" && variable.Text("value") == "false"))
            .Select(pair => pair.Owner.Text("metadata/name")));

    private static IEnumerable<(JsonNode Owner, JsonNode? Container)> Containers(IEnumerable<JsonNode> objects) =>
        objects.SelectMany(owner => owner.Items("spec/template/spec/containers").Select(container => (owner, container)));

    private static IEnumerable<string?> Kinds(IEnumerable<JsonNode> objects) =>
        objects.Select(candidate => candidate.Text("kind")).Order(StringComparer.Ordinal);

    /// <summary>Reads the tree with one file changed.</summary>
    private static Func<string, string> Broken(string file, string old, string broken) =>
        path => path == file ? SourceTree.Text(path).Replace(old, broken, StringComparison.Ordinal) : SourceTree.Text(path);

    private static List<JsonNode> Objects(string folder, Func<string, string> read) => [.. Kustomization.Build(folder, read), Secret(read)];

    private static JsonNode Secret(Func<string, string> read) => DeployTree.Yaml(read($"{Base}/secret.example.yaml")).Single()!;
}
