using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Grains.Interfaces.Messages;

/// <summary>Names a QoS 2 message between the nodes of a cluster, so that one sent twice from node to node is queued once.</summary>
/// <param name="Source">Who numbered it.</param>
/// <param name="Number">Its number there; ascending in each shard.</param>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("MessageOrigin")]
public sealed record MessageOrigin([property: Id(0)] long Source, [property: Id(1)] long Number)
{
    /// <summary>Bits of a session's number that count within one opening of the session; those above are its epoch.</summary>
    public const int CounterBits = 40;

    /// <summary>The origin of a message that a durable session numbered.</summary>
    /// <param name="clientId">Whose session.</param>
    /// <param name="number">The session's epoch, and a counter in the lower <see cref="CounterBits"/>.</param>
    /// <remarks>Each epoch is a source of its own: what an earlier one left unfinished may come after something newer. Two that were taken for one would lose
    /// messages, so the hash is one that nobody finds collisions of.</remarks>
    public static MessageOrigin OfSession(string clientId, long number)
    {
        var named = new byte[sizeof(long) + Encoding.UTF8.GetByteCount(clientId)];
        BinaryPrimitives.WriteInt64LittleEndian(named, number >> CounterBits);
        Encoding.UTF8.GetBytes(clientId, named.AsSpan(sizeof(long)));
        return new(BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(named)), number & ((1L << CounterBits) - 1));
    }
}
