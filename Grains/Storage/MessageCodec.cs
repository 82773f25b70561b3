using System.Buffers;
using Broker.Grains.Interfaces.Messages;
using Orleans.Serialization;

namespace Broker.Grains.Storage;

/// <summary>The stored form of a message: one version byte, then what Orleans' serializer makes of it.</summary>
/// <remarks>Orleans' form tolerates added members; the version byte is for the day it does not.</remarks>
internal sealed class MessageCodec(Serializer<ApplicationMessage> serializer)
{
    private const byte Version = 1;
    private const int LargestKeptBuffer = 1024 * 1024;

    /// <summary>Writes a message into a buffer that is used again and again by one thread.</summary>
    /// <param name="message">What to encode.</param>
    /// <param name="buffer">Replaced when it has grown over 1 MB, so that one large message does not stay for ever.</param>
    /// <returns>The stored form, valid until the buffer is used again.</returns>
    public ReadOnlySpan<byte> Encode(ApplicationMessage message, ref ArrayBufferWriter<byte> buffer)
    {
        if (buffer.Capacity > LargestKeptBuffer) buffer = new ArrayBufferWriter<byte>();
        buffer.ResetWrittenCount();
        buffer.GetSpan(1)[0] = Version;
        buffer.Advance(1);
        serializer.Serialize(message.WithoutWay(), buffer);
        return buffer.WrittenSpan;
    }

    /// <summary>Reads a stored message.</summary>
    /// <exception cref="StoreException">It was written by a newer program, or is damaged.</exception>
    public ApplicationMessage Decode(byte[] stored)
    {
        if (stored.Length == 0 || stored[0] != Version)
        {
            throw new StoreException($"A stored message has format {(stored.Length == 0 ? 0 : stored[0])}; this program reads format {Version}.");
        }

        try
        {
            return serializer.Deserialize(stored.AsMemory(1)) ?? throw new StoreException("A stored message is empty.");
        }
        catch (Exception error) when (error is not StoreException)
        {
            throw new StoreException("A stored message cannot be read.", error);
        }
    }
}
