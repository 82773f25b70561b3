using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>What one link from the sessions of a process to a gateway carries in one call.</summary>
/// <param name="Link">Names the sending link.</param>
/// <param name="Number">Rises by one with every batch; one that was seen is dropped.</param>
[GenerateSerializer, Immutable, Alias("PipeBatch")]
public sealed record PipeBatch([property: Id(0)] Guid Link, [property: Id(1)] long Number, [property: Id(2)] PipeItem[] Items);

/// <summary>What a durable session tells its connection.</summary>
public enum PipeItemKind : byte
{
    /// <summary>Send a PUBLISH.</summary>
    Publish,

    /// <summary>Send a PUBLISH that may have been sent before. [MQTT-3.3.1-1]</summary>
    Repeat,

    /// <summary>Send a PUBREL: number is the packet identifier.</summary>
    Release,

    /// <summary>A PUBREC has come for an identifier that is not in flight: number is the identifier.</summary>
    Unknown,

    /// <summary>An incoming QoS 2 identifier is stored or forgotten, or cannot be: number is that of the command.</summary>
    Answer,

    /// <summary>How far the queue has come: number is the retained messages that this connection has handed over, less the deliveries that wait.</summary>
    QueueLength,

    /// <summary>The connection is to be closed.</summary>
    Close,
}

/// <summary>One thing that a durable session tells its connection in another process.</summary>
/// <param name="Connection">The connection's number in its process.</param>
/// <param name="Number">What it means depends on the kind.</param>
[GenerateSerializer, Immutable, OmitDefaultMemberValues, Alias("PipeItem")]
public readonly record struct PipeItem(
    [property: Id(0)] ulong Connection,
    [property: Id(1)] PipeItemKind Kind,
    [property: Id(2)] Delivery Delivery = default,
    [property: Id(3)] long Number = 0,
    [property: Id(4)] ReasonCode Code = ReasonCode.Success);

/// <summary>How much of a session's deliveries may be on the way to its connection: both ends count alike.</summary>
/// <remarks>The session stops when <see cref="Size"/> is out, and goes on as the gateway gives back what the socket has taken. So a slow
/// client holds that much in link and gateway, and the rest waits in the session's own bounded queue.</remarks>
public static class DeliveryWindow
{
    /// <summary>256 KiB, or some 500 small messages: a few milliseconds of a fast client, and little for a million slow ones to hold.</summary>
    public const int Size = 256 * 1024;

    /// <summary>What a delivery weighs that carries nothing: about its objects' share of memory.</summary>
    private const int Least = 512;

    /// <summary>What a delivery takes of the window.</summary>
    public static int WeightOf(in Delivery delivery) => Least + delivery.Message.Payload.Length + delivery.Message.Topic.Utf8.Length;
}
