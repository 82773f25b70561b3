using System.Text.Json.Nodes;

namespace Broker.Tests.Unit.Deploy;

/// <summary>What is wrong with a compose file: references that lead nowhere and declarations nobody uses.</summary>
internal static class ComposeFaults
{
    private static readonly string[] Declared = ["secrets", "configs", "volumes", "networks"];

    /// <param name="file">The document.</param>
    /// <param name="folder">Where it lies, relative to the root: its paths start there.</param>
    public static IEnumerable<string> Of(JsonNode file, string folder)
    {
        var services = file.Entries("services").ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var (name, service) in services)
        {
            foreach (var fault in Service(services, service, folder)) yield return $"{name}: {fault}";
        }

        foreach (var kind in Declared)
        {
            var used = services.Values.SelectMany(service => Used(service, kind)).ToHashSet();
            var declared = file.Names(kind).ToHashSet();
            foreach (var name in used.Except(declared)) yield return $"{kind}/{name} is not declared";
            foreach (var name in declared.Except(used)) yield return $"{kind}/{name} is not used";
        }

        foreach (var (name, config) in file.Entries("configs"))
        {
            if (!Exists(folder, config.Text("file"))) yield return $"configs/{name}: {config.Text("file")} is not there";
        }

        foreach (var (name, secret) in file.Entries("secrets"))
        {
            var path = Resolve(folder, secret.Text("file")!);
            if (!SourceTree.Lines(".gitignore").Contains($"/{Path.GetDirectoryName(path)}/")) yield return $"secrets/{name}: {path} would be committed";
        }
    }

    private static IEnumerable<string> Service(Dictionary<string, JsonNode?> services, JsonNode? service, string folder)
    {
        if (service.Text("image") is null) yield return "no image";
        if (service.At("build") is { } build)
        {
            var context = Resolve(folder, build.Text("context")!);
            if (!Exists(context, build.Text("dockerfile"))) yield return $"build: {build.Text("dockerfile")} is not in '{context}'";
        }

        foreach (var other in service.Names("depends_on"))
        {
            if (!services.TryGetValue(other, out var needed)) yield return $"depends_on/{other} is no service";
            else if (service.Text($"depends_on/{other}/condition") == "service_healthy" && needed.At("healthcheck") is null)
                yield return $"depends_on/{other} has no healthcheck";
            else if (!service.Names("networks").Intersect(needed.Names("networks")).Any()) yield return $"depends_on/{other} is in no network of this";
        }

        foreach (var (key, value) in service.Entries("environment"))
        {
            if (value?.ToString() is not { } text) continue;
            if (text.StartsWith("/run/secrets/", StringComparison.Ordinal) && !service.Names("secrets").Contains(Path.GetFileName(text)))
                yield return $"{key} = {text}, which is no secret of this";
            if (key.EndsWith("__ConnectionString", StringComparison.Ordinal) && !Reaches(services, service, text))
                yield return $"{key}: no service of that name in a network of this";
        }
    }

    /// <summary>Whether the server of a connection string is a service in one of the caller's networks.</summary>
    private static bool Reaches(Dictionary<string, JsonNode?> services, JsonNode? from, string connectionString)
    {
        var server = connectionString.Split(';').Select(part => part.Split('=')).First(part => part[0] == "Server")[1];
        return services.TryGetValue(server, out var to) && from.Names("networks").Intersect(to.Names("networks")).Any();
    }

    private static IEnumerable<string> Used(JsonNode? service, string kind) => kind != "volumes" ? service.Names(kind)
        : service.Items(kind).Select(item => item!.ToString().Split(':')[0]).Where(source => source[0] is not ('.' or '/'));

    private static bool Exists(string folder, string? path) => path is not null && File.Exists(Path.Combine(SourceTree.Root, Resolve(folder, path)));

    /// <summary>A path below the root, without `.` and `..`.</summary>
    private static string Resolve(string folder, string path) =>
        Path.GetRelativePath(SourceTree.Root, Path.GetFullPath(Path.Combine(SourceTree.Root, folder, path))).Replace('\\', '/');
}
