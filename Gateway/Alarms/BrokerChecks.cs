using System.Text.Json.Nodes;
using Broker.Gateway.ExHook;
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
/// <param name="sources">Those that there are now, and whether they are down.</param>
internal sealed class ResourceCheck(AlarmBook book, Func<IEnumerable<(string Name, bool IsDown)>> sources, ExHookServers servers, IOptions<AlarmOptions> options) : IAlarmCheck
{
    private HashSet<string> watched = [];

    public TimeSpan Period => options.Value.CheckInterval;

    public Task LookAsync()
    {
        var now = sources().ToArray();
        foreach (var source in now) Set("security", source.Name, source.IsDown);
        foreach (var gone in watched.Except(now.Select(one => one.Name))) Set("security", gone, isDown: false);
        watched = [.. now.Select(one => one.Name)];
        foreach (var server in servers.All) Set("exhook", server.Name, !server.IsConnected);
        return Task.CompletedTask;
    }

    private void Set(string type, string id, bool isDown) =>
        book.Set($"resource/{type}/{id}/down", isDown, $"Resource {type}({id}) is down", () => new JsonObject { ["id"] = id, ["type"] = type });
}
