using System.Text.Json.Nodes;

namespace Broker.Tests.Unit.Deploy;

/// <summary>What is wrong with a set of Kubernetes objects that are applied together.</summary>
/// <param name="objects">All of them, with the secrets an operator makes.</param>
internal sealed class KubernetesFaults(IReadOnlyList<JsonNode> objects)
{
    private readonly List<JsonNode> workloads = [.. objects.Where(candidate => candidate.Text("kind") is "StatefulSet" or "Deployment")];

    public IEnumerable<string> All() => objects.SelectMany(Identity)
        .Concat(objects.GroupBy(Name).Where(group => group.Count() > 1).Select(group => $"{group.Key} is there {group.Count()} times"))
        .Concat(workloads.SelectMany(workload => Workload(workload).Concat(Containers(workload)).Select(fault => $"{Name(workload)}: {fault}")))
        .Concat(objects.SelectMany(candidate => Others(candidate).Select(fault => $"{Name(candidate)}: {fault}")));

    private static string Name(JsonNode? candidate) => $"{candidate.Text("kind")}/{candidate.Text("metadata/name")}";

    private static IEnumerable<string> Identity(JsonNode candidate) => new[] { "apiVersion", "kind", "metadata/name" }
        .Where(field => candidate.Text(field) is null).Select(field => $"{Name(candidate)} has no {field}");

    private static JsonNode? Labels(JsonNode workload) => workload.At("spec/template/metadata/labels");

    private static IEnumerable<string> PortNames(JsonNode workload) =>
        workload.Items("spec/template/spec/containers").SelectMany(container => container.Items("ports")).Select(port => port.Text("name")!);

    private bool Exists(string kind, string? name) => objects.Any(candidate => Name(candidate) == $"{kind}/{name}");

    private IEnumerable<string> Workload(JsonNode workload)
    {
        var pod = workload.At("spec/template/spec");
        if (!workload.Entries("spec/selector/matchLabels").Selects(Labels(workload))) yield return "selector does not match its own template";
        foreach (var term in pod.Items("affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution").Select(item => item.At("podAffinityTerm"))
            .Concat(pod.Items("topologySpreadConstraints")))
        {
            if (!term.Entries("labelSelector/matchLabels").Selects(Labels(workload)))
                yield return $"spreading over {term.Text("topologyKey")} does not count its own pods";
        }

        if (workload.Text("kind") == "StatefulSet" && Headless(workload) is not { } service)
            yield return $"serviceName {workload.Text("spec/serviceName")} is no headless service of its pods";
        if (pod.Text("terminationGracePeriodSeconds") != "75") yield return "is not given 75 s to drain";
        if (pod.Text("securityContext/runAsNonRoot") != "true") yield return "may run as root";
        foreach (var volume in pod.Items("volumes"))
        {
            if (volume.Text("secret/secretName") is { } secret && !Exists("Secret", secret)) yield return $"Secret/{secret} is not there";
            if (volume.Text("configMap/name") is { } map && !Exists("ConfigMap", map)) yield return $"ConfigMap/{map} is not there";
        }
    }

    private JsonNode? Headless(JsonNode workload) => objects.FirstOrDefault(candidate => Name(candidate) == $"Service/{workload.Text("spec/serviceName")}"
        && candidate.Text("spec/clusterIP") == "None" && candidate.Entries("spec/selector").Selects(Labels(workload)));

    private IEnumerable<string> Containers(JsonNode workload)
    {
        var pod = workload.At("spec/template/spec");
        var volumes = pod.Items("volumes").ToDictionary(volume => volume.Text("name")!, volume => volume);
        foreach (var container in pod.Items("containers"))
        {
            var ports = container.Items("ports").Select(port => port.Text("name")).ToHashSet();
            foreach (var probe in new[] { "startupProbe", "livenessProbe", "readinessProbe" })
            {
                if (container.At(probe) is null) yield return $"no {probe}";
                else if (!ports.Contains(container.Text($"{probe}/httpGet/port")))
                    yield return $"{probe} asks port {container.Text($"{probe}/httpGet/port")}, which is no port of its container";
            }

            if (container.Text("readinessProbe/httpGet/path") != "/health/ready") yield return "readinessProbe does not ask /health/ready";
            if (container.Text("livenessProbe/httpGet/path") != "/health/live") yield return "livenessProbe does not ask /health/live";
            if (container.Text("resources/requests/cpu") is null || container.Text("resources/requests/memory") is null)
                yield return "requests no CPU or no memory";
            if (container.Text("securityContext/readOnlyRootFilesystem") != "true") yield return "may write to its image";
            foreach (var mount in container.Items("volumeMounts").Where(mount => !volumes.ContainsKey(mount.Text("name")!)))
                yield return $"mounts {mount.Text("name")}, which is no volume";
            foreach (var fault in Settings(container, volumes)) yield return fault;
        }
    }

    private IEnumerable<string> Settings(JsonNode? container, Dictionary<string, JsonNode?> volumes)
    {
        var settings = new Dictionary<string, string>();
        foreach (var name in container.Items("envFrom").Select(source => source.Text("configMapRef/name")))
        {
            var map = objects.FirstOrDefault(candidate => Name(candidate) == $"ConfigMap/{name}");
            if (map is null) yield return $"ConfigMap/{name} is not there";
            foreach (var (key, value) in map.Entries("data")) settings[key] = value!.ToString();
        }

        foreach (var variable in container.Items("env").Where(variable => variable.Text("value") is not null))
            settings[variable.Text("name")!] = variable.Text("value")!;
        if (settings.GetValueOrDefault("Broker__Cluster__PasswordFile") is not { } file) yield return "has no password file";
        else if (!IsSecret(file, container, volumes)) yield return $"{file} is no key of a mounted secret";
        var members = container.Items("ports").FirstOrDefault(port => port.Text("name") == "members").Text("containerPort");
        if (settings.GetValueOrDefault("Broker__Cluster__Port") != members)
            yield return $"Cluster:Port is {settings.GetValueOrDefault("Broker__Cluster__Port")}, its port {members}";
    }

    private bool IsSecret(string file, JsonNode? container, Dictionary<string, JsonNode?> volumes)
    {
        var mount = container.Items("volumeMounts").FirstOrDefault(mount => mount.Text("mountPath") == Path.GetDirectoryName(file)?.Replace('\\', '/'));
        if (mount is null || !volumes.TryGetValue(mount.Text("name")!, out var volume)) return false;
        var secret = objects.FirstOrDefault(candidate => Name(candidate) == $"Secret/{volume.Text("secret/secretName")}");
        return secret.Entries("stringData").Any(pair => pair.Key == Path.GetFileName(file));
    }

    private IEnumerable<string> Others(JsonNode candidate) => candidate.Text("kind") switch
    {
        "Service" => Service(candidate),
        "PodDisruptionBudget" when workloads.Count(workload => candidate.Entries("spec/selector/matchLabels").Selects(Labels(workload))) != 1 =>
            ["does not stand for one workload"],
        "HorizontalPodAutoscaler" => Autoscaler(candidate),
        "NetworkPolicy" => Policy(candidate),
        _ => [],
    };

    private IEnumerable<string> Service(JsonNode service)
    {
        var behind = workloads.Where(workload => service.Entries("spec/selector").Selects(Labels(workload))).ToArray();
        if (behind.Length == 0) yield return "selects no pods";
        foreach (var port in service.Items("spec/ports").Select(port => port.Text("targetPort")!))
        {
            foreach (var workload in behind.Where(workload => !PortNames(workload).Contains(port))) yield return $"port {port} is no port of {Name(workload)}";
        }
    }

    private IEnumerable<string> Autoscaler(JsonNode autoscaler)
    {
        var wanted = $"{autoscaler.Text("spec/scaleTargetRef/kind")}/{autoscaler.Text("spec/scaleTargetRef/name")}";
        var target = workloads.FirstOrDefault(workload => Name(workload) == wanted);
        if (target is null) yield return "scales nothing";
        else if (target.Text("spec/replicas") is not null) yield return $"{Name(target)} sets replicas too";
    }

    private IEnumerable<string> Policy(JsonNode policy)
    {
        foreach (var workload in workloads.Where(workload => !policy.Entries("spec/podSelector/matchLabels").Selects(Labels(workload))))
            yield return $"does not guard {Name(workload)}";
        foreach (var rule in policy.Items("spec/ingress"))
        {
            foreach (var port in rule.Items("ports").Select(port => port.Text("port")!))
            {
                if (!workloads.Any(workload => PortNames(workload).Contains(port))) yield return $"port {port} is nobody's";
                if (port != "mqtt" && !rule.Items("from").Any()) yield return $"port {port} is open to all";
            }
        }
    }
}
