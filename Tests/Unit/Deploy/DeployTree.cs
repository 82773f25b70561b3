using System.Diagnostics;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Broker.Tests.Unit.Deploy;

/// <summary>The files for operators, and the tools that may be there to judge them.</summary>
internal static class DeployTree
{
    private static readonly HashSet<string> Known = [".yaml", ".yml", ".md", ".env", ".service", ".cfg", ".cnf", ".sql", ".sh", ".Dockerfile"];

    /// <summary>The files below `deploy`, relative to the root with `/`; secrets an operator made are left out.</summary>
    public static IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "deploy"), "*", SearchOption.AllDirectories)
            .Where(path => Known.Contains(Path.GetExtension(path)))
            .Select(path => Path.GetRelativePath(SourceTree.Root, path).Replace('\\', '/'));

    /// <summary>The documents of a YAML text. Scalars are strings, `&lt;&lt;` is merged, aliases are copied.</summary>
    /// <exception cref="YamlException">It is not YAML, or a key is there twice.</exception>
    public static List<JsonNode?> Yaml(string text)
    {
        var deserializer = new DeserializerBuilder().WithDuplicateKeyChecking().Build();
        var parser = new Parser(new StringReader(text));
        var documents = new List<JsonNode?>();
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _)) documents.Add(ToNode(deserializer.Deserialize<object?>(parser)));
        return documents;
    }

    /// <summary>Runs a tool with its output and errors as text; null if it is not installed.</summary>
    public static (int Code, string Output)? Run(string tool, params string[] arguments)
    {
        var folders = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':');
        var path = folders.Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
        if (path is null) return null;
        using var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    private static JsonNode? ToNode(object? value)
    {
        switch (value)
        {
            case IDictionary<object, object?> map:
                var node = new JsonObject();
                foreach (var (key, child) in map.Where(pair => (string)pair.Key != "<<")) node[(string)key] = ToNode(child);
                if (map.TryGetValue("<<", out var merged)) Merge(node, merged);
                return node;
            case IEnumerable<object?> list:
                return new JsonArray([.. list.Select(ToNode)]);
            default:
                return value is null ? null : JsonValue.Create(value.ToString());
        }
    }

    private static void Merge(JsonObject into, object? merged)
    {
        foreach (var source in merged as IEnumerable<object?> is { } list && merged is not IDictionary<object, object?> ? list : [merged])
        {
            foreach (var (key, value) in (JsonObject)ToNode(source)!) into.TryAdd(key, value?.DeepClone());
        }
    }
}
