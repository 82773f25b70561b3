using Broker.Gateway.Links;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Sessions;

/// <summary>Makes publishers wait for a subscriber whose queue fills, before anything must be dropped (promise 6).</summary>
/// <remarks>They go on one after the other as there is room. They wait only for a subscriber that moves: while they wait it must take
/// <see cref="Step"/> deliveries in each <see cref="Patience"/>. So a client that has stopped costs its publishers one short pause, and
/// loses its own messages after that. On its loop only.</remarks>
internal sealed class QueuePressure(TransientSession session, LoopContext loop, int queueLimit) : ICongestion, IRunnable
{
    private const int Step = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly Queue<Action> waiting = new();
    private int moved = Step;
    private bool timing;
    private bool relieving;
    private bool goingOn;

    /// <summary>Whether a publisher should wait now. Once some wait others queue up behind them, so that none of them starves.</summary>
    public bool IsHigh => waiting.Count > 0
        ? session.QueueLength > (goingOn ? queueLimit / 2 : queueLimit / 4)
        : session.QueueLength > queueLimit / 2 && moved >= Step;

    public void WhenRoom(Action callback)
    {
        if (waiting.Count == 0 && !timing) moved = 0;
        waiting.Enqueue(callback);
        if (timing) return;
        timing = true;
        loop.Loop.Schedule(this, Patience);
    }

    /// <summary>A delivery has left the queue.</summary>
    public void Moved()
    {
        moved++;
        if (relieving || waiting.Count == 0 || session.QueueLength > queueLimit / 4) return;
        relieving = true;
        loop.Loop.Execute(Relieve);
    }

    /// <summary>Lets all go on: the session has ended.</summary>
    public void End()
    {
        while (waiting.TryDequeue(out var callback)) loop.Loop.Execute(callback);
    }

    /// <summary>Patience has ended: goes on waiting only if the subscriber has moved.</summary>
    void IRunnable.Run()
    {
        timing = false;
        if (waiting.Count == 0) return;
        if (moved < Step)
        {
            End();
            return;
        }

        moved = 0;
        timing = true;
        loop.Loop.Schedule(this, Patience);
    }

    private void Relieve()
    {
        relieving = false;
        goingOn = true;
        while (session.QueueLength <= queueLimit / 2 && waiting.TryDequeue(out var callback)) callback();
        goingOn = false;
    }
}
