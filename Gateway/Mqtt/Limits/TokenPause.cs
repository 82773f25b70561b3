using Broker.Gateway.Links;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Mqtt.Limits;

/// <summary>Keeps a connection from being read until its buckets have tokens again.</summary>
/// <remarks>On the connection's event loop only. By a timer of the loop and not by its <see cref="DeadlineWheel"/>, whose quarter seconds are longer than most pauses.</remarks>
/// <param name="wait">How long there is still to wait; zero if no longer.</param>
internal sealed class TokenPause(Connection connection, Func<TimeSpan> wait) : ICongestion, IRunnable
{
    /// <summary>A pause may last an hour; the connection's memory must not wait for it if it ends before, nor a clock that is put forward.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(1);

    private Action? goOn;

    public bool IsOn { get; private set; }

    /// <summary>Reads no more for now.</summary>
    public void Begin()
    {
        if (IsOn || connection.IsEnding) return;
        IsOn = true;
        connection.Reading.WaitFor(this);
    }

    void ICongestion.WhenRoom(Action callback)
    {
        goOn = callback;
        Schedule(wait());
    }

    void IRunnable.Run()
    {
        var left = connection.IsEnding ? TimeSpan.Zero : wait();
        if (left > TimeSpan.Zero)
        {
            Schedule(left);
            return;
        }

        IsOn = false;
        connection.KeepAlive.Touch(); // so far its silence was ours
        goOn!();
    }

    private void Schedule(TimeSpan left) => connection.Loop.Loop.Schedule(this, left < LongestStep ? left : LongestStep);
}
