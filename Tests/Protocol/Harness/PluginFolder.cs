using Xunit;

namespace Broker.Tests.Protocol.Harness;

/// <summary>A temporary folder with the sample plugin in it, and what the plugin has written.</summary>
internal sealed class PluginFolder : IDisposable
{
    public const string Plugin = "SamplePlugin";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("broker-plugins-");

    public PluginFolder() => Add(Plugin);

    public string Path => folder.FullName;

    public string Journal => System.IO.Path.Combine(Path, "journal");

    /// <summary>The settings of a broker that loads it.</summary>
    public Dictionary<string, string?> Settings(params (string Key, string Value)[] more)
    {
        var all = new Dictionary<string, string?> { ["Plugins:Folder"] = Path, [$"Plugins:Settings:{Plugin}:Journal"] = Journal };
        foreach (var (key, value) in more) all[key] = value;
        return all;
    }

    /// <summary>Puts the plugin's assembly there under a name.</summary>
    public void Add(string name)
    {
        var to = folder.CreateSubdirectory(name);
        var output = new DirectoryInfo(AppContext.BaseDirectory); // …/Tests/bin/Release/net10.0
        var from = System.IO.Path.Combine(output.Parent!.Parent!.Parent!.FullName, Plugin, "bin", output.Parent.Name, output.Name);
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, System.IO.Path.Combine(to.FullName, System.IO.Path.GetFileName(file).Replace(Plugin + ".", name + ".", StringComparison.Ordinal)));
    }

    /// <summary>What it has written so far.</summary>
    public string[] Lines() => File.Exists(Journal) ? File.ReadAllLines(Journal) : [];

    /// <summary>Waits until it has written a line.</summary>
    public async Task ExpectAsync(string line)
    {
        using var patience = new CancellationTokenSource(Deadline);
        while (!Lines().Contains(line))
        {
            if (patience.IsCancellationRequested) Assert.Fail($"The plugin has not written '{line}' but:\n{string.Join('\n', Lines())}");
            await Task.Delay(5);
        }
    }

    public void Dispose() => folder.Delete(recursive: true);
}
