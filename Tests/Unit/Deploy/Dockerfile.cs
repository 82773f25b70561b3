using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Broker.Tests.Unit.Deploy;

/// <summary>A Dockerfile's instructions, and what is wrong with them.</summary>
internal sealed partial record Dockerfile(IReadOnlyList<(string Word, string Text)> Instructions)
{
    public string? Environment(string key) => Rests("ENV").SelectMany(rest => rest.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(pair => pair.Split('=', 2)).FirstOrDefault(pair => pair[0] == key)?[1];

    /// <summary>The sources of COPY from the builder's context.</summary>
    private IEnumerable<string> Sources => Rests("COPY")
        .Where(rest => !rest.StartsWith("--from", StringComparison.Ordinal)).SelectMany(rest => rest.Split(' ')[..^1]);

    public static Dockerfile Parse(string text) => new(
        [.. Continuation().Replace(Comment().Replace(text, ""), " ").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line.Split(' ', 2)).Select(pair => (pair[0], pair.Length > 1 ? pair[1] : ""))]);

    /// <param name="project">What the image is for.</param>
    /// <param name="ports">What it listens on.</param>
    public IEnumerable<string> Faults(string project, string ports)
    {
        foreach (var source in Sources)
        {
            if (!Path.Exists(Path.Combine(SourceTree.Root, source))) yield return $"COPY {source}: not there";
            else if (SourceTree.Lines(".dockerignore").Any(line => line.Trim('/') == source.Trim('/')))
                yield return $"COPY {source}: .dockerignore keeps it away";
        }

        foreach (var needed in Needed(project).Where(needed => !Sources.Contains($"{needed}/") || !Sources.Contains($"{needed}/{needed}.csproj")))
            yield return $"{needed} is not copied";
        foreach (var file in new[] { "global.json", "Directory.Build.props", "Directory.Packages.props", ".editorconfig" })
        {
            if (!Sources.Contains(file)) yield return $"{file} is not copied";
        }

        if (!Rests("RUN").Any(rest => rest.StartsWith($"dotnet publish {project}/{project}.csproj ", StringComparison.Ordinal)))
            yield return $"{project} is not published";
        if (Rests("ENTRYPOINT").SingleOrDefault() != $"[\"dotnet\", \"/app/{Assembly(project)}.dll\"]") yield return $"{Assembly(project)}.dll is not started";
        var version = Property("TargetFramework")["net".Length..];
        foreach (var image in Rests("FROM").Where(rest => !rest.Split(" AS ")[0].EndsWith($":{version}", StringComparison.Ordinal)))
            yield return $"FROM {image}: not .NET {version}";
        if (Rests("USER").LastOrDefault() is null or "root" or "0") yield return "runs as root";
        if (Rests("EXPOSE").SingleOrDefault() != ports) yield return $"does not expose {ports}";
        if (Rests("VOLUME").SingleOrDefault() != Environment("Broker__Storage__DataDirectory")) yield return "its data are not on the volume";
        var check = Rests("HEALTHCHECK").SingleOrDefault() ?? "";
        if (!check.Contains($"/127.0.0.1/{ProgramSettings.DefaultAdminPort} ", StringComparison.Ordinal) || !check.Contains("GET /health/live ", StringComparison.Ordinal))
            yield return "/health/live is not asked";
    }

    private static string Assembly(string project) => Property("AssemblyName").Replace("$(MSBuildProjectName)", project, StringComparison.Ordinal);

    private static string Property(string name) => XDocument.Parse(SourceTree.Text("Directory.Build.props")).Descendants(name).Single().Value;

    /// <summary>The project and all it refers to.</summary>
    private static IEnumerable<string> Needed(string project) => XDocument.Parse(SourceTree.Text($"{project}/{project}.csproj"))
        .Descendants("ProjectReference").Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'))
        .SelectMany(path => Needed(Path.GetFileNameWithoutExtension(path))).Append(project).Distinct();

    private IEnumerable<string> Rests(string word) => Instructions.Where(instruction => instruction.Word == word).Select(instruction => instruction.Text);

    [GeneratedRegex(@"^\s*#.*\n", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continuation();
}
