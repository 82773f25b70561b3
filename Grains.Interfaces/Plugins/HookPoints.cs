using System.Diagnostics.CodeAnalysis;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>A point at which callbacks change a value or decide something, while the client waits. All of them may be added and removed at any time, from any thread.</summary>
/// <remarks>Callbacks are called on the client's event loop, which serves many clients: they must not block. What takes time they begin with `Task.Run`, and await; of this client nothing more is read meanwhile.
/// The highest priority is called first; of equal ones the one that was added first. One that throws is logged and counted (`hooks.failed`); what that means is said by `Plugins:FailedAction`.</remarks>
public interface IHookChain<TContext, TValue>
{
    /// <summary>Adds a callback.</summary>
    /// <param name="callback">Gets what it is about and the value so far, and says how to go on.</param>
    /// <returns>Removes it when it is disposed.</returns>
    IDisposable Add(Func<TContext, TValue, ValueTask<HookAnswer<TValue>>> callback, int priority = 0);
}

/// <summary>A point at which callbacks change a value without waiting for anything.</summary>
/// <inheritdoc cref="IHookChain{TContext,TValue}" path="/remarks"/>
public interface IHookFilter<TContext, TValue>
{
    /// <inheritdoc cref="IHookChain{TContext,TValue}.Add"/>
    IDisposable Add(Func<TContext, TValue, HookAnswer<TValue>> callback, int priority = 0);
}

/// <summary>A point at which callbacks are told that something has happened.</summary>
/// <remarks>Callbacks are called off the event loops and after the fact, those of one client in the order in which things happened to it. Where so much waits for
/// them that memory would suffer, events are dropped and counted (`hooks.dropped`).</remarks>
public interface IHookEvent<TEvent>
{
    /// <summary>Adds a callback.</summary>
    /// <returns>Removes it when it is disposed.</returns>
    IDisposable Add(Func<TEvent, ValueTask> callback, int priority = 0);
}

/// <summary>What a callback says: whether the value changes, and whether the callbacks behind it are asked.</summary>
[SuppressMessage("Design", "CA1000", Justification = "the callback's type says which T it is")]
public readonly record struct HookAnswer<T>
{
    private HookAnswer(bool isChanged, bool isLast, T value) => (IsChanged, IsLast, Value) = (isChanged, isLast, value);

    /// <summary>Leaves the value as it is; the next callback is asked.</summary>
    public static HookAnswer<T> Continue => default;

    /// <summary>Leaves the value as it is; no other callback is asked.</summary>
    public static HookAnswer<T> Stop => new(false, true, default!);

    public bool IsChanged { get; }

    public bool IsLast { get; }

    /// <summary>The new value, if it is changed.</summary>
    public T Value { get; }

    /// <summary>The next callback is asked with another value.</summary>
    public static HookAnswer<T> ContinueWith(T value) => new(true, false, value);

    /// <summary>This is the value; no other callback is asked.</summary>
    public static HookAnswer<T> StopWith(T value) => new(true, true, value);
}
