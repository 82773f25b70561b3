namespace Broker.Gateway.Mqtt;

/// <summary>What one connection has carried. Written on its event loop, read by anyone.</summary>
internal sealed class Traffic
{
    /// <summary>Bytes of MQTT received.</summary>
    public long BytesReceived;

    /// <summary>Reads in which something came.</summary>
    public long Reads;

    public long PacketsReceived;

    /// <summary>PUBLISH packets received.</summary>
    public long MessagesReceived;

    /// <summary>Bytes of MQTT handed to the socket or about to be.</summary>
    public long BytesSent;

    /// <summary>Buffers handed to the socket.</summary>
    public long Writes;

    public long PacketsSent;

    /// <summary>PUBLISH packets sent.</summary>
    public long MessagesSent;
}
