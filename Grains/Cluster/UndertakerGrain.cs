using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Orleans.GrainDirectory;

namespace Broker.Grains.Cluster;

/// <inheritdoc cref="IUndertakerGrain"/>
[GrainDirectory(GrainDirectoryName = ClusterDirectory.Name)]
internal sealed class UndertakerGrain(BrokerStore store, SessionPublisher publisher, TimeProvider time) : Grain, IUndertakerGrain
{
    private const string Prefix = "n:";

    /// <summary>The key of the grain for a process.</summary>
    public static string KeyOf(string node) => Prefix + node;

    public async Task Bury()
    {
        var node = this.GetPrimaryKeyString()[Prefix.Length..];
        var wills = await store.ListWillsAsync(node);
        using var activity = BrokerActivities.PublishWills(node, wills.Count);
        foreach (var will in wills)
        {
            // The delay of a transient session's will ends with its session: now. [MQTT-3.1.3-9]
            await publisher.PublishAsync(new Will(will.Message, will.DelaySeconds, will.ExpirySeconds).ToMessage(time.GetUtcNow().ToUnixTimeMilliseconds()));
            store.Submit(new RemoveWill(will.ClientId, will.ConnectionNumber));
        }

        await store.FlushAsync();
        DeactivateOnIdle();
    }
}

/// <inheritdoc cref="IWillKeeper"/>
internal sealed class WillKeeper(BrokerStore store) : IWillKeeper
{
    public Task<bool> SaveAsync(string clientId, ulong connection, Will will) =>
        store.WriteAsync(new SaveWill(new StoredWill(clientId, (long)connection, will.Message, will.DelaySeconds, will.ExpirySeconds)));

    public void Remove(string clientId, ulong connection) => store.Submit(new RemoveWill(clientId, (long)connection));
}
