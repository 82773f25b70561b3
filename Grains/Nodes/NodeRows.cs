using System.Reflection;
using System.Text.Json.Serialization;

namespace Broker.Grains.Nodes;

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
