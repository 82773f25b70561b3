using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt;

/// <summary>Waits until the receipt of an incoming QoS 2 message is stored, and goes on on the connection's loop.</summary>
internal sealed class RecordedPublish(Connection connection) : PublishReceipt, ILetterBox
{
    private Action<ReasonCode>? next;

    /// <summary>What to do with the outcome.</summary>
    public void Then(Action<ReasonCode> action)
    {
        next = action;
        Answer(ReasonCode.Success); // the maker's own part: everybody who must answer is known
    }

    void ILetterBox.Open(in Letter letter) => next!((ReasonCode)letter.Kind);

    /// <remarks>A letter even on the loop itself: the outcomes of earlier ones may still be in the mailbox.</remarks>
    protected override void OnComplete(ReasonCode code) => connection.Loop.Mailbox.Post(new Letter(this, (int)code));
}
