using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Routing;

namespace Broker.Grains.Routing;

/// <summary>The shards whose grains are active in this process. Thread-safe.</summary>
internal sealed class LocalShards(ShardMap map) : LocalTable<Shard>(map.Count), ILocalShards
{
    ILocalShard? ILocalShards.Find(int shard) => Find(shard);
}
