using System.Text.Json.Serialization;
using Broker.Gateway.Records;

namespace Broker.Gateway.Admin;

/// <summary>What is known of telemetry. Nothing is ever sent anywhere: it is there for those who ask for it.</summary>
/// <param name="Id">The cluster's, at random.</param>
internal sealed record TelemetryState(bool IsEnabled, Guid Id);

/// <summary>The one record of it, under <see cref="Key"/>.</summary>
internal sealed class TelemetryTable() : RecordTable<TelemetryState>("telemetry", TelemetryJson.Default.TelemetryState)
{
    public const string Key = "state";

    public TelemetryState? State => Find(Key)?.Value;
}

[JsonSerializable(typeof(TelemetryState))]
internal sealed partial class TelemetryJson : JsonSerializerContext;
