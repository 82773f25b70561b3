using Broker.Gateway.Links;
using Broker.Gateway.Security.Guard;

namespace Broker.Gateway.Mqtt;

/// <summary>Ends the wait for an authentication that takes too long.</summary>
/// <remarks>On the connection's event loop only.</remarks>
internal sealed class ConnectPatience : Deadline
{
    private readonly Action onEnd;

    private ConnectPatience(Action onEnd) => this.onEnd = onEnd;

    /// <summary>Awaits what a source says of a client.</summary>
    /// <param name="onEnd">Called once if that takes longer than a client may have to wait. The answer is awaited all the same: the source still works for it.</param>
    public static async ValueTask<T> WaitAsync<T>(ValueTask<T> answer, ConnectAdmission admission, DeadlineWheel deadlines, Action onEnd)
    {
        if (answer.IsCompleted) return await admission.WaitAsync(answer);
        var patience = new ConnectPatience(onEnd);
        deadlines.Set(patience, admission.MaxWait);
        try
        {
            return await admission.WaitAsync(answer);
        }
        finally
        {
            deadlines.Clear(patience);
        }
    }

    public override void OnDue() => onEnd();
}
