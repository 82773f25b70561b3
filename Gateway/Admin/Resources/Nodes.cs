using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>What is the same for `/brokers` and `/nodes`.</summary>
internal abstract record NodeState
{
    public required string Node { get; init; }

    public string NodeStatus { get; init; } = "Running";

    public string Version { get; init; } = Assembly.GetExecutingAssembly().GetName().Version!.ToString(3);

    public required string Uptime { get; init; }

    /// <summary>The version of the runtime; the name is of another one.</summary>
    public string OtpRelease { get; init; } = $".NET/{Environment.Version}";
}

internal sealed record BrokerRow : NodeState
{
    public string Sysdescr { get; init; } = "Broker";

    public required string Datetime { get; init; }
}

internal sealed record NodeRow : NodeState
{
    public required long Connections { get; init; }

    public required string Load1 { get; init; }

    public required string Load5 { get; init; }

    public required string Load15 { get; init; }

    public required string MemoryTotal { get; init; }

    public required string MemoryUsed { get; init; }

    /// <summary>Threads are what comes nearest to its processes.</summary>
    public int ProcessAvailable { get; init; }

    public int ProcessUsed { get; init; }

    public long MaxFds { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BrokerRow))]
[JsonSerializable(typeof(NodeRow))]
internal sealed partial class NodeJson : JsonSerializerContext;

/// <summary>Since when this process runs.</summary>
internal sealed class StartTime(TimeProvider time)
{
    private readonly DateTimeOffset started = time.GetUtcNow();

    /// <summary>How long it has run, as EMQ X writes it.</summary>
    public string Uptime => LocalTime.Describe(time.GetUtcNow() - started);
}

/// <summary>This process among `/brokers`.</summary>
internal sealed class LocalBroker(StartTime start, TimeProvider time) : INodeResource
{
    public const string Name = "brokers";

    public string Resource => Name;

    public NodePage Read(string node, NodeQuery query) => NodePages.One(
        node, new BrokerRow { Node = node, Uptime = start.Uptime, Datetime = LocalTime.Format(time.GetUtcNow(), time.LocalTimeZone) }, NodeJson.Default.BrokerRow);
}

/// <summary>This process among `/nodes`.</summary>
internal sealed class LocalNodeState(StartTime start, BrokerGauges gauges) : INodeResource
{
    public const string Name = "nodes";

    public string Resource => Name;

    public NodePage Read(string node, NodeQuery query)
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
            MaxFds = DescriptorLimit.Files,
        };
        return NodePages.One(node, row, NodeJson.Default.NodeRow);
    }

    private static (string, string, string) Loads()
    {
        const string file = "/proc/loadavg";
        return OperatingSystem.IsLinux() && File.Exists(file) && File.ReadAllText(file).Split(' ') is [var one, var five, var fifteen, ..] ? (one, five, fifteen) : ("0.00", "0.00", "0.00");
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

/// <summary>`/brokers` and `/nodes`: the processes of the cluster.</summary>
internal sealed class Nodes(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/brokers", "list_brokers", "The brokers of the cluster", _ => ListAsync(LocalBroker.Name)),
        new("GET", "/brokers/{node}", "get_broker", "A broker", call => GetAsync(call, LocalBroker.Name)),
        new("GET", "/nodes", "list_nodes", "The nodes of the cluster", _ => ListAsync(LocalNodeState.Name)),
        new("GET", "/nodes/{node}", "get_node", "A node", call => GetAsync(call, LocalNodeState.Name)),
    ];

    private async Task<ApiAnswer> ListAsync(string resource)
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(resource, []));
        return ApiAnswer.Rows(answers.Pages.SelectMany(page => page.Rows), answers.Unavailable);
    }

    private async Task<ApiAnswer> GetAsync(ApiCall call, string resource)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), new NodeQuery(resource, []));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Data(json => json.WriteRawValue(page.Rows[0]));
    }
}
