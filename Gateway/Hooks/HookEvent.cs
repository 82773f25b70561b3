using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Hooks;

/// <summary>A hook point whose callbacks are told what has happened, off the event loops.</summary>
/// <param name="name">EMQ X's name of it.</param>
/// <param name="clientOf">Whose events keep their order.</param>
/// <param name="changed">Called when there is a callback more or fewer.</param>
internal sealed class HookEvent<TEvent>(string name, HookFailures failures, HookLanes lanes, Func<TEvent, string> clientOf, Action? changed = null) : IHookEvent<TEvent>
{
    public HookCallbacks<Func<TEvent, ValueTask>> Callbacks { get; } = new(changed);

    /// <summary>True: there is no need to make the event.</summary>
    public bool IsEmpty => Callbacks.IsEmpty;

    public IDisposable Add(Func<TEvent, ValueTask> callback, int priority = 0) => Callbacks.Add(callback, priority);

    /// <summary>It has happened.</summary>
    public void Raise(TEvent happened)
    {
        if (!IsEmpty) lanes.Post(clientOf(happened), () => TellAsync(happened));
    }

    private async Task TellAsync(TEvent happened)
    {
        foreach (var callback in Callbacks)
        {
            try
            {
                await callback(happened);
            }
            catch (Exception fault) // whatever a plugin throws
            {
                failures.Add(name, fault);
            }
        }
    }
}
