namespace Broker.Tests.Unit.Deploy;

/// <summary>A systemd unit's settings, and what is wrong with them.</summary>
/// <param name="Settings">In their order; a key may be there more than once.</param>
internal sealed record UnitFile(IReadOnlyList<(string Section, string Key, string Value)> Settings)
{
    private static readonly Dictionary<string, string> Required = new()
    {
        ["User"] = "broker",
        ["Restart"] = "always",
        ["KillSignal"] = "SIGTERM",
        ["NoNewPrivileges"] = "yes",
        ["ProtectSystem"] = "strict",
        ["ProtectHome"] = "yes",
        ["PrivateTmp"] = "yes",
        ["CapabilityBoundingSet"] = "",
    };

    /// <exception cref="FormatException">A line is neither section nor setting.</exception>
    public static UnitFile Parse(string text)
    {
        var section = "";
        var settings = new List<(string, string, string)>();
        foreach (var line in text.Split('\n').Where(line => line.Length > 0 && line[0] is not ('#' or ';')))
        {
            if (line is ['[', .., ']']) section = line[1..^1];
            else if (section.Length > 0 && line.Split('=', 2) is [var key, var value]) settings.Add((section, key, value));
            else throw new FormatException($"'{line}' is neither section nor setting.");
        }

        return new UnitFile(settings);
    }

    /// <param name="unit">Its name, which its state folder has too.</param>
    /// <param name="program">The end of the path that is started.</param>
    public IEnumerable<string> Faults(string unit, string program)
    {
        foreach (var section in Settings.Select(setting => setting.Section).Distinct().Except(["Unit", "Service", "Install"]))
            yield return $"[{section}] is no section";
        foreach (var (key, value) in Required.Where(pair => Last(pair.Key) != pair.Value)) yield return $"{key} = {Last(key)}";
        if (Last("ExecStart") != $"/usr/bin/dotnet /opt/broker/{program}") yield return $"does not start {program}";
        if (Last("TimeoutStopSec") != "75") yield return "is not given 75 s to drain";
        if (Last("LimitNOFILE") is null) yield return "LimitNOFILE is not set";
        if (Last("MemoryDenyWriteExecute") is not null) yield return "MemoryDenyWriteExecute keeps the runtime from compiling";
        if (Last("WantedBy") is null) yield return "is not started at boot";
        if (Last("StateDirectory") != unit) yield return $"StateDirectory = {Last("StateDirectory")}";
        var data = Last("Environment")?.Split('=')[1];
        if (data != $"/var/lib/{Last("StateDirectory")}") yield return $"may not write to {data}";
        var example = Path.GetFileName(Last("EnvironmentFile"));
        if (!File.Exists(Path.Combine(SourceTree.Root, "deploy/systemd", example ?? ""))) yield return $"no example of {example}";
    }

    private string? Last(string key) => Settings.LastOrDefault(setting => setting.Key == key).Value;
}
