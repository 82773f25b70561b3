using Broker.Grains.Interfaces.Routing;

namespace Broker.Grains.Routing;

/// <summary>The shards whose grains are active in this process. Thread-safe.</summary>
internal sealed class LocalShards(ShardMap map) : ILocalShards
{
    private readonly Shard?[] shards = new Shard?[map.Count];

    ILocalShard? ILocalShards.Find(int shard) => Volatile.Read(ref shards[shard]);

    /// <summary>A grain has its routes: open the direct way.</summary>
    public void Open(int number, Shard shard) => Volatile.Write(ref shards[number], shard);

    /// <summary>A grain leaves: close the direct way.</summary>
    public void Close(int number) => Volatile.Write(ref shards[number], null);
}
