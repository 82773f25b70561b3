using System.Globalization;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Grains.Nodes;

/// <summary>This process among `/brokers`.</summary>
internal sealed class LocalBroker(StartTime start, TimeProvider time) : INodeResource
{
    public string Resource => NodeResources.Brokers;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query) => ValueTask.FromResult(NodePages.One(
        node, new BrokerRow { Node = node, Uptime = start.Uptime, Datetime = LocalTime.Format(time.GetUtcNow(), time.LocalTimeZone) }, NodeJson.Default.BrokerRow));
}

/// <summary>This process among `/nodes`.</summary>
internal sealed class LocalNodeState(StartTime start, BrokerGauges gauges) : INodeResource
{
    public string Resource => NodeResources.Nodes;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        var (load1, load5, load15) = Loads();
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        ThreadPool.GetMaxThreads(out var most, out _);
        var row = new NodeRow
        {
            Node = node,
            Uptime = start.Uptime,
            Connections = gauges.Read(Gauge.Connections),
            Load1 = load1,
            Load5 = load5,
            Load15 = load15,
            MemoryTotal = Size(memory),
            MemoryUsed = Size(Environment.WorkingSet),
            ProcessAvailable = most,
            ProcessUsed = ThreadPool.ThreadCount,
            MaxFds = MaxFiles(),
        };
        return ValueTask.FromResult(NodePages.One(node, row, NodeJson.Default.NodeRow));
    }

    private static (string, string, string) Loads()
    {
        const string file = "/proc/loadavg";
        return OperatingSystem.IsLinux() && File.Exists(file) && File.ReadAllText(file).Split(' ') is [var one, var five, var fifteen, ..] ? (one, five, fifteen) : ("0.00", "0.00", "0.00");
    }

    /// <summary>How many files the process may have open; 0 where the system does not say.</summary>
    private static long MaxFiles()
    {
        const string file = "/proc/self/limits";
        if (!OperatingSystem.IsLinux() || !File.Exists(file)) return 0;
        var line = File.ReadLines(file).FirstOrDefault(one => one.StartsWith("Max open files", StringComparison.Ordinal));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var soft, ..] && long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : 0;
    }

    private static string Size(long bytes)
    {
        var (value, unit) = bytes switch
        {
            > 1 << 30 => (bytes / (double)(1 << 30), "G"),
            > 1 << 20 => (bytes / (double)(1 << 20), "M"),
            > 1 << 10 => (bytes / (double)(1 << 10), "K"),
            _ => (bytes, ""),
        };
        return unit.Length == 0 ? bytes.ToString(CultureInfo.InvariantCulture) : value.ToString("F2", CultureInfo.InvariantCulture) + unit;
    }
}
