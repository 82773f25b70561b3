using Broker.Gateway.Links;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Mqtt;

/// <summary>PUBACK and PUBREC that wait until their message is safe, sent in the order of the PUBLISH packets. [MQTT-4.6.0-2], [MQTT-4.6.0-3]</summary>
/// <remarks>On the connection's event loop only. A client that has too many waiting is not read until some are answered.</remarks>
internal sealed class AcknowledgementQueue(Connection connection, ReceiveWindow window)
{
    /// <summary>A client's bytes are not read while so many of its messages wait, whatever it was allowed.</summary>
    private const int PauseAt = 1024;

    private readonly Queue<PendingAcknowledgement> waiting = new();
    private bool paused;

    public bool IsEmpty => waiting.Count == 0;

    /// <summary>Adds one whose outcome is not known yet.</summary>
    public PendingAcknowledgement Add(PacketType type, ushort packetIdentifier)
    {
        var pending = new PendingAcknowledgement(connection, window, this, type, packetIdentifier);
        Add(pending);
        return pending;
    }

    /// <summary>Adds one whose outcome is known, behind those that wait.</summary>
    public void Add(PacketType type, ushort packetIdentifier, ReasonCode code) =>
        Add(new PendingAcknowledgement(connection, window, this, type, packetIdentifier) { Outcome = code });

    /// <summary>Sends all at the head whose outcome is known.</summary>
    public void SendReady()
    {
        while (waiting.TryPeek(out var head) && head.Outcome is { } code)
        {
            waiting.Dequeue();
            Send(head, code);
        }

        if (!paused || waiting.Count > PauseAt / 2) return;
        paused = false;
        connection.Reading.End();
    }

    private void Add(PendingAcknowledgement pending)
    {
        waiting.Enqueue(pending);
        if (paused || waiting.Count < PauseAt) return;
        paused = true;
        BrokerCounters.Add(Metric.ClientReadPaused);
        connection.Reading.Begin();
    }

    private void Send(PendingAcknowledgement pending, ReasonCode code)
    {
        if (connection.IsEnding) return;
        if (code < ReasonCode.UnspecifiedError)
        {
            window.Answer(pending.Type, pending.PacketIdentifier, code);
            return;
        }

        BrokerCounters.Add(Metric.PacketsPublishError);
        BrokerCounters.Add(Metric.MessagesDroppedStoreFailed);
        // Not safe: the client may try once more.
        if (pending is { Type: PacketType.Pubrec, KeepsIdentifier: false }) connection.Session!.Release(pending.PacketIdentifier, new PendingAcknowledgement(connection, window, null, null, 0));
        if (connection.Rules.AnswersRefusedPublish) window.Answer(pending.Type, pending.PacketIdentifier, code);
        else connection.KeepAlive.LeaveUnanswered();
    }
}

/// <summary>One acknowledgement that waits for the answers of all who must have the message.</summary>
/// <param name="window">What it is sent through.</param>
/// <param name="queue">Keeps its order; null for one that is sent as soon as it is ready.</param>
/// <param name="type">What is sent; null for nothing.</param>
internal sealed class PendingAcknowledgement(
    Connection connection, ReceiveWindow window, AcknowledgementQueue? queue, PacketType? type, ushort packetIdentifier)
    : PublishReceipt, ILetterBox
{
    public PacketType Type => type ?? default;

    public ushort PacketIdentifier => packetIdentifier;

    /// <summary>The client knows nothing of a refusal, so that what comes next under this QoS 2 identifier is a repetition: some may have the message already.</summary>
    public bool KeepsIdentifier { get; set; }

    /// <summary>The outcome, once it is known on the loop.</summary>
    public ReasonCode? Outcome { get; set; }

    /// <summary>Everybody who must answer is known: closes the maker's own part.</summary>
    public void AllKnown() => Answer(ReasonCode.Success);

    /// <summary>On the loop: the outcome is known.</summary>
    void ILetterBox.Open(in Letter letter) => Settle((ReasonCode)letter.Kind);

    protected override void OnComplete(ReasonCode code)
    {
        if (connection.Loop.Loop.InEventLoop) Settle(code);
        else connection.Loop.Mailbox.Post(new Letter(this, (int)code));
    }

    private void Settle(ReasonCode code)
    {
        Outcome = code;
        if (queue is not null) queue.SendReady();
        else if (type is { } kind && !connection.IsEnding && code < ReasonCode.UnspecifiedError) window.Answer(kind, packetIdentifier, code);
    }
}
