using System.Text.Json.Serialization;
using Broker.Gateway.Records;

namespace Broker.Gateway.Tracing;

/// <summary>What a trace picks out.</summary>
internal enum TraceKind
{
    ClientId,
    Topic,
    IpAddress,
}

/// <summary>Whether a trace writes.</summary>
internal enum TraceStatus
{
    Waiting,
    Running,
    Stopped,
}

/// <summary>A trace that an operator has begun.</summary>
/// <param name="Filter">Client identifier, topic filter or address.</param>
/// <param name="StartAt">From when on it writes, in Unix seconds.</param>
/// <param name="EndAt">Up to when.</param>
/// <param name="Id">Tells its files from those of an earlier trace of the same name.</param>
/// <param name="IsStopped">It was stopped before its end.</param>
internal sealed record Trace(TraceKind Kind, string Filter, long StartAt, long EndAt, string Id, bool IsStopped = false)
{
    /// <summary>Whether it writes at a time, in Unix seconds.</summary>
    public TraceStatus StatusAt(long now) => IsStopped || now >= EndAt ? TraceStatus.Stopped : now < StartAt ? TraceStatus.Waiting : TraceStatus.Running;
}

/// <summary>The cluster's traces by their names.</summary>
internal sealed class TraceTable() : RecordTable<Trace>("trace", TraceJson.Default.Trace)
{
    /// <summary>Traces there may be.</summary>
    public const int MaxTraces = 30;

    /// <summary>A trace was begun, stopped or removed: what it was before.</summary>
    public event Action<Entry?>? Updated;

    protected override void Changed(Entry? before, Entry? after) => Updated?.Invoke(before);
}

[JsonSerializable(typeof(Trace))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
internal sealed partial class TraceJson : JsonSerializerContext;
