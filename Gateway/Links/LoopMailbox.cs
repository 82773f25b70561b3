using System.Runtime.InteropServices;
using Broker.Grains.Interfaces.Sessions;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Links;

/// <summary>Work that other threads hand to an event loop: queued in order, run together, with one wake-up for all that came meanwhile.</summary>
/// <remarks>Bounded by consent: whoever can be slowed asks <see cref="IsFull"/> and waits with <see cref="WhenRoom"/>.</remarks>
internal sealed class LoopMailbox(LoopContext context) : ICongestion, IRunnable
{
    /// <summary>From so many letters on senders that can wait are asked to.</summary>
    private const int Full = 16_384;

    private readonly Lock gate = new();
    private List<Letter> incoming = [];
    private List<Letter> reading = [];
    private List<Action>? waiting;
    private int depth;

    /// <summary>True if senders should wait.</summary>
    public bool IsFull => Volatile.Read(ref depth) >= Full || context.Delivery.IsBehind;

    /// <summary>Adds a letter. Any thread.</summary>
    public void Post(in Letter letter)
    {
        bool first;
        lock (gate)
        {
            incoming.Add(letter);
            first = incoming.Count == 1;
            depth++;
        }

        if (first) Wake();
    }

    /// <summary>Adds several letters at once. Any thread.</summary>
    public void Post(List<Letter> letters)
    {
        bool first;
        lock (gate)
        {
            first = incoming.Count == 0;
            incoming.AddRange(letters);
            depth += letters.Count;
        }

        if (first) Wake();
    }

    /// <inheritdoc/>
    public void WhenRoom(Action callback)
    {
        lock (gate) (waiting ??= []).Add(callback);
        Wake();
    }

    /// <summary>Looks again who may go on: the loop has worked off its fan-outs. On the loop.</summary>
    public void Relieve() => context.Loop.Execute(this);

    void IRunnable.Run()
    {
        List<Action>? relieved = null;
        lock (gate)
        {
            (incoming, reading) = (reading, incoming);
            depth = 0;
            if (!context.Delivery.IsBehind) (relieved, waiting) = (waiting, null);
        }

        try
        {
            OpenAll();
        }
        finally
        {
            if (relieved is not null) foreach (var callback in relieved) callback();
        }
    }

    private void Wake()
    {
        try
        {
            context.Loop.Execute(this);
        }
        catch (RejectedExecutionException)
        {
            // The loop has ended, and with it all who could open a letter: a store may answer after that.
        }
    }

    private void OpenAll()
    {
        var opened = 0;
        try
        {
            foreach (ref readonly var letter in CollectionsMarshal.AsSpan(reading))
            {
                opened++;
                letter.To.Open(letter);
            }
        }
        finally
        {
            // A letter that throws costs itself; those behind it are opened next time, and the lists stay in order.
            if (opened < reading.Count) PutBack(opened);
            reading.Clear();
        }
    }

    private void PutBack(int from)
    {
        lock (gate)
        {
            incoming.InsertRange(0, reading.GetRange(from, reading.Count - from));
            depth = incoming.Count;
        }

        context.Loop.Execute(this);
    }
}

/// <summary>Who opens a letter, on the loop.</summary>
internal interface ILetterBox
{
    void Open(in Letter letter);
}

/// <summary>One piece of work for a loop. What the parts mean is between the sender and <paramref name="To"/>.</summary>
internal readonly record struct Letter(ILetterBox To, int Kind, object? Subject = null, object? Detail = null, long Number = 0, Delivery Delivery = default);
