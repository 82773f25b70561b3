using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Broker.Gateway.Alarms;

/// <summary>Something is wrong, or was, in this process.</summary>
/// <param name="Name">What it is about; there is one at most of a name.</param>
/// <param name="Message">The same for people.</param>
/// <param name="Details">Numbers and names that belong to it.</param>
/// <param name="ActivatedAt">Since when, in Unix microseconds.</param>
internal sealed record Alarm(string Name, string Message, JsonObject Details, long ActivatedAt)
{
    /// <summary>Until when; null while it is active.</summary>
    public long? DeactivatedAt { get; init; }
}

/// <summary>What of alarms outlives the process.</summary>
internal sealed record AlarmRecord(Alarm[] Active, Alarm[] History);

[JsonSerializable(typeof(AlarmRecord))]
internal sealed partial class AlarmRecordJson : JsonSerializerContext;
