namespace Broker.Tests.Unit;

/// <summary>The repository's files, for tests that read them.</summary>
internal static class SourceTree
{
    public static readonly string[] ProductionProjects = ["Grains.Interfaces", "Grains", "Gateway", "Silo"];

    private static readonly Lazy<string> LazyRoot = new(() => FindRoot());

    public static string Root => LazyRoot.Value;

    /// <summary>The C# files under a top-level folder, relative to the root with `/`, without what builds made.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj"));

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>A source's code: its lines without comments.</summary>
    public static IEnumerable<(int Line, string Code)> Code(string path) => Lines(path).Select((line, at) => (at + 1, WithoutComment(line)));

    private static string WithoutComment(string line)
    {
        var at = line.IndexOf("//", StringComparison.Ordinal);
        return at < 0 ? line : line[..at];
    }

    private static string FindRoot([System.Runtime.CompilerServices.CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Broker.sln"))) return folder;
        }

        throw new DirectoryNotFoundException($"No folder above {here} holds Broker.sln.");
    }
}
