using System.Globalization;

namespace Broker.Gateway.Admin;

/// <summary>How busy the machine is, as Linux tells it; zeros elsewhere.</summary>
internal sealed class SystemLoad
{
    private readonly Lock gate = new();
    private (long Busy, long All) last;
    private double usage;

    /// <summary>Share of the processors' time that was used since this was last asked, 0 to 100.</summary>
    public double ReadCpu()
    {
        lock (gate)
        {
            var now = ReadTimes();
            var all = now.All - last.All;
            if (all > 0) usage = Math.Clamp(100.0 * (now.Busy - last.Busy) / all, 0, 100);
            last = now;
            return usage;
        }
    }

    /// <summary>Processes that run or want to.</summary>
    public static long ReadRunQueue() =>
        TryRead("/proc/loadavg", out var text) && text.Split(' ') is [_, _, _, var tasks, ..] && long.TryParse(tasks.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var running) ? running : 0;

    /// <summary>The machine's memory and what is used of it, in bytes.</summary>
    public static (long Total, long Used) ReadMemory()
    {
        if (!TryRead("/proc/meminfo", out var text)) return (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, Environment.WorkingSet);
        long Field(string name) => text.Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(words => long.Parse(words[1], CultureInfo.InvariantCulture) * 1024).FirstOrDefault();
        var total = Field("MemTotal:");
        return (total, total - Field("MemAvailable:"));
    }

    private static (long Busy, long All) ReadTimes()
    {
        if (!TryRead("/proc/stat", out var text)) return default;
        long[] times = [.. text[..text.IndexOf('\n', StringComparison.Ordinal)].Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
        var all = times.Take(8).Sum(); // what is behind them is counted among user and nice already
        return (all - times[3] - times[4], all); // idle, and waiting for a disk
    }

    private static bool TryRead(string file, out string text)
    {
        text = OperatingSystem.IsLinux() && File.Exists(file) ? File.ReadAllText(file) : "";
        return text.Length > 0;
    }
}
