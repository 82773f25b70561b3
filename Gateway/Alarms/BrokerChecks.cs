using System.Text.Json.Nodes;
using Broker.Gateway.ExHook;
using Broker.Gateway.Security.Sources;
using Broker.Gateway.Security.Sources.Jwt;
using Broker.Grains.Interfaces.Cluster;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Alarms;

/// <summary>`store_failing`: what must last is refused.</summary>
internal sealed class StoreCheck(AlarmBook book, ILocalStore store, IOptions<AlarmOptions> options) : IAlarmCheck
{
    public TimeSpan Period => options.Value.CheckInterval;

    public Task LookAsync()
    {
        book.Set("store_failing", store.IsFailing, "The store takes nothing: messages for durable sessions and retained messages are refused", () => new JsonObject { ["pending_writes"] = store.PendingWrites });
        return Task.CompletedTask;
    }
}

/// <summary>`resource/TYPE/ID/down`: what the broker asks over the network and cannot reach.</summary>
/// <remarks>A source that is down is found to be back when it is next asked.</remarks>
internal sealed class ResourceCheck(AlarmBook book, IEnumerable<SourceGuard> sources, ExHookServers servers, IOptions<AlarmOptions> options, PublishedKeys? keys = null) : IAlarmCheck
{
    private readonly SourceGuard[] sources = [.. sources];

    public TimeSpan Period => options.Value.CheckInterval;

    public Task LookAsync()
    {
        foreach (var source in sources) Set("security", source.Name, source.IsDown);
        if (keys is not null) Set("security", "jwt", keys.IsFailing);
        foreach (var server in servers.All) Set("exhook", server.Name, !server.IsConnected);
        return Task.CompletedTask;
    }

    private void Set(string type, string id, bool isDown) =>
        book.Set($"resource/{type}/{id}/down", isDown, $"Resource {type}({id}) is down", () => new JsonObject { ["id"] = id, ["type"] = type });
}
