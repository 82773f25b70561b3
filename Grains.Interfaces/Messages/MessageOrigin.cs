namespace Broker.Grains.Interfaces.Messages;

/// <summary>Names a QoS 2 message between the nodes of a cluster, so that one sent twice from node to node is queued once.</summary>
/// <param name="Source">Who numbered it.</param>
/// <param name="Number">Its number there; ascending in each shard.</param>
[GenerateSerializer, Immutable, Alias("MessageOrigin")]
public readonly record struct MessageOrigin([property: Id(0)] long Source, [property: Id(1)] long Number);
