using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Tests.Unit.Grains.Sessions;

/// <summary>A connection that writes down what it is told: `PUBLISH 1 text`, `PUBLISH 1 text dup`, `PUBREL 1`, `close 8E`.</summary>
internal sealed class RecordingPipe : ISessionPipe
{
    private readonly List<string> sent = [];

    public bool IsWritable { get; set; } = true;

    public string[] Sent
    {
        get
        {
            lock (sent) return [.. sent];
        }
    }

    public List<Delivery> Deliveries { get; } = [];

    public void Publish(in Delivery delivery, bool dup)
    {
        Deliveries.Add(delivery);
        Write($"PUBLISH {(delivery.Qos == Qos.AtMostOnce ? 0 : delivery.PacketIdentifier)} {TestMessage.Text(delivery.Message)}{(dup ? " dup" : "")}");
    }

    public void Release(ushort packetIdentifier) => Write($"PUBREL {packetIdentifier}");

    public void Close(ReasonCode code) => Write($"close {(int)code:X2}");

    private void Write(string line)
    {
        lock (sent) sent.Add(line);
    }
}
