using System.Text.Json.Serialization;
using Broker.Gateway.Records;

namespace Broker.Gateway.Admin;

/// <summary>An application that may call the HTTP API.</summary>
/// <param name="Expires">Until when, in Unix seconds; null is for ever.</param>
/// <param name="Hash">Of its secret.</param>
/// <param name="IsPreset">It has the secret that everybody knows.</param>
internal sealed record App(string Name, string Description, bool Enabled, long? Expires, string Hash, string? Salt, bool IsPreset = false);

/// <summary>The cluster's applications by their id.</summary>
internal sealed class AppTable() : RecordTable<App>("app", AppJson.Default.App)
{
    protected override string? FaultOf(string key, App value) => value is { Name: not null, Description: not null, Hash: not null } ? null : "a member is missing";
}

[JsonSerializable(typeof(App))]
internal sealed partial class AppJson : JsonSerializerContext;
