using System.Globalization;

namespace Broker.Gateway.Alarms;

/// <summary>What the control groups around this process allow it, version 1 or 2, and what is used of it.</summary>
/// <param name="mount">Where the system shows them: `/sys/fs/cgroup`.</param>
/// <param name="membership">The file that says in which this process is: `/proc/self/cgroup`.</param>
internal sealed class ControlGroup(string mount = "/sys/fs/cgroup", string membership = "/proc/self/cgroup")
{
    /// <summary>Bytes of memory allowed and used, without what the system may take back from files; of the group that has least left. Null without a limit.</summary>
    public (long Limit, long Used)? Memory() => Tightest("memory", folder =>
    {
        if (Number(folder, "memory.max") is { } limit) return (limit, (Number(folder, "memory.current") ?? 0) - (Field(folder, "memory.stat", "inactive_file") ?? 0));
        // Version 1 has no word for none: a number that no machine reaches.
        if (Number(folder, "memory.limit_in_bytes") is { } old and < 1L << 60) return (old, (Number(folder, "memory.usage_in_bytes") ?? 0) - (Field(folder, "memory.stat", "total_inactive_file") ?? 0));
        return null;
    });

    /// <summary>Tasks allowed and used. Null without a limit.</summary>
    public (long Limit, long Used)? Tasks() => Tightest("pids", folder => Number(folder, "pids.max") is { } limit ? (limit, Number(folder, "pids.current") ?? 0) : null);

    /// <summary>Processors allowed, and microseconds of them used up to now. Null without a limit.</summary>
    public (double Processors, long UsedUs)? Cpu()
    {
        (double Processors, long UsedUs)? found = null;
        foreach (var folder in Folders("cpu"))
        {
            if (Text(folder, "cpu.max")?.Split(' ') is not [var quota, var period] || !long.TryParse(quota, CultureInfo.InvariantCulture, out var share) || !long.TryParse(period, CultureInfo.InvariantCulture, out var whole)) continue;
            if (Field(folder, "cpu.stat", "usage_usec") is { } used && (found is null || share / (double)whole < found.Value.Processors)) found = (share / (double)whole, used);
        }

        return found;
    }

    private (long Limit, long Used)? Tightest(string controller, Func<string, (long Limit, long Used)?> read)
    {
        (long Limit, long Used)? found = null;
        foreach (var folder in Folders(controller))
        {
            if (read(folder) is { Limit: > 0 } one && (found is null || one.Limit - one.Used < found.Value.Limit - found.Value.Used)) found = one;
        }

        return found;
    }

    /// <summary>This process's group, and those around it up to the mount: each may have a limit. In a container the mount is the group.</summary>
    private IEnumerable<string> Folders(string controller)
    {
        if (!File.Exists(membership)) yield break;
        foreach (var line in File.ReadLines(membership))
        {
            // `0::/path` in version 2, `4:memory:/path` in version 1.
            if (line.Split(':', 3) is not [_, var controllers, var path] || (controllers.Length > 0 && !controllers.Split(',').Contains(controller))) continue;
            var root = controllers.Length == 0 ? mount : Path.Combine(mount, controller);
            for (var at = path.Trim('/'); ; at = Path.GetDirectoryName(at) ?? "")
            {
                var folder = Path.Combine(root, at);
                if (Directory.Exists(folder)) yield return folder;
                if (at.Length == 0) break;
            }
        }
    }

    private static long? Number(string folder, string file) => long.TryParse(Text(folder, file), CultureInfo.InvariantCulture, out var number) ? number : null;

    private static long? Field(string folder, string file, string name)
    {
        var line = Text(folder, file)?.Split('\n').FirstOrDefault(one => one.StartsWith(name + " ", StringComparison.Ordinal));
        return line is not null && long.TryParse(line[(name.Length + 1)..], CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static string? Text(string folder, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, file)).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null; // not of this version, or not for us to see
        }
    }
}
