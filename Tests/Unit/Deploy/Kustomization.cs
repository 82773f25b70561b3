using System.Text.Json.Nodes;

namespace Broker.Tests.Unit.Deploy;

/// <summary>What a kustomization folder amounts to, as far as this repository uses kustomize.</summary>
internal static class Kustomization
{
    private static readonly HashSet<string> Understood = ["apiVersion", "kind", "namespace", "resources", "configMapGenerator", "patches", "images"];

    /// <summary>The objects that would be applied, names not hashed.</summary>
    /// <param name="folder">Relative to the root.</param>
    /// <param name="read">Gives the text of a file; tests break it on the way.</param>
    /// <exception cref="NotSupportedException">The folder uses more of kustomize than this reads.</exception>
    /// <exception cref="InvalidOperationException">A patch removes what is not there.</exception>
    public static List<JsonNode> Build(string folder, Func<string, string> read)
    {
        var file = DeployTree.Yaml(read($"{folder}/kustomization.yaml")).Single();
        if (file!.AsObject().Select(pair => pair.Key).Except(Understood).FirstOrDefault() is { } unknown)
            throw new NotSupportedException($"{folder}: {unknown}");
        var objects = new List<JsonNode>();
        foreach (var resource in file.Items("resources").Select(item => item!.ToString()))
        {
            var path = Path.GetRelativePath(SourceTree.Root, Path.GetFullPath(Path.Combine(SourceTree.Root, folder, resource))).Replace('\\', '/');
            if (Directory.Exists(Path.Combine(SourceTree.Root, path))) objects.AddRange(Build(path, read));
            else objects.AddRange(DeployTree.Yaml(read(path)).Select(document => document!));
        }

        foreach (var generator in file.Items("configMapGenerator")) objects.Add(Generate(generator, path => read($"{folder}/{path}")));
        foreach (var patch in file.Items("patches")) Apply(DeployTree.Yaml(patch.Text("patch")!).Single()!, objects);
        foreach (var image in file.Items("images")) Tag(objects, image.Text("name")!, image.Text("newTag")!);
        return objects;
    }

    /// <summary>The settings of an environment file: one `key=value` a line.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Environment(string text) =>
        text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=', 2))
            .Select(pair => KeyValuePair.Create(pair[0], pair[1]));

    private static JsonObject Generate(JsonNode? generator, Func<string, string> read)
    {
        var data = new JsonObject();
        foreach (var (key, value) in generator.Items("envs").SelectMany(item => Environment(read(item!.ToString())))) data[key] = value;
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["name"] = generator.Text("name") },
            ["data"] = data,
        };
    }

    private static void Apply(JsonNode patch, List<JsonNode> objects)
    {
        if (patch.Text("$patch") != "delete") throw new NotSupportedException("Only patches that delete are read.");
        var removed = objects.RemoveAll(candidate =>
            candidate.Text("kind") == patch.Text("kind") && candidate.Text("metadata/name") == patch.Text("metadata/name"));
        if (removed != 1) throw new InvalidOperationException($"A patch deletes {patch.Text("kind")} {patch.Text("metadata/name")}, which is not there.");
    }

    private static void Tag(List<JsonNode> objects, string image, string tag)
    {
        foreach (var container in objects.SelectMany(candidate => candidate.Items("spec/template/spec/containers")))
        {
            if (container.Text("image") == image) container!["image"] = $"{image}:{tag}";
        }
    }
}
