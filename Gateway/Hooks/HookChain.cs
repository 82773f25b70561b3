using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Hooks;

/// <summary>A hook point whose callbacks change a value while the client waits.</summary>
/// <param name="name">EMQ X's name of it.</param>
/// <param name="whenFailed">What a callback that throws is taken to say.</param>
/// <param name="changed">Called when there is a callback more or fewer.</param>
internal sealed class HookChain<TContext, TValue>(string name, HookFailures failures, HookAnswer<TValue> whenFailed = default, Action? changed = null) : IHookChain<TContext, TValue>
{
    public HookCallbacks<Func<TContext, TValue, ValueTask<HookAnswer<TValue>>>> Callbacks { get; } = new(changed);

    public bool IsEmpty => Callbacks.IsEmpty;

    public IDisposable Add(Func<TContext, TValue, ValueTask<HookAnswer<TValue>>> callback, int priority = 0) => Callbacks.Add(callback, priority);

    /// <summary>Asks one callback after the other.</summary>
    /// <returns>The value as the last one left it.</returns>
    public async ValueTask<TValue> RunAsync(TContext context, TValue value)
    {
        foreach (var callback in Callbacks)
        {
            HookAnswer<TValue> answer;
            try
            {
                answer = await callback(context, value);
            }
            catch (Exception fault) // whatever a plugin throws
            {
                failures.Add(name, fault);
                answer = whenFailed;
            }

            if (answer.IsChanged) value = answer.Value;
            if (answer.IsLast) break;
        }

        return value;
    }
}

/// <summary>A hook point whose callbacks change a value at once.</summary>
/// <param name="name">EMQ X's name of it.</param>
/// <param name="changed">Called when there is a callback more or fewer.</param>
internal sealed class HookFilter<TContext, TValue>(string name, HookFailures failures, Action? changed = null) : IHookFilter<TContext, TValue>
{
    public HookCallbacks<Func<TContext, TValue, HookAnswer<TValue>>> Callbacks { get; } = new(changed);

    public bool IsEmpty => Callbacks.IsEmpty;

    public IDisposable Add(Func<TContext, TValue, HookAnswer<TValue>> callback, int priority = 0) => Callbacks.Add(callback, priority);

    /// <inheritdoc cref="HookChain{TContext,TValue}.RunAsync"/>
    public TValue Run(TContext context, TValue value)
    {
        foreach (var callback in Callbacks)
        {
            HookAnswer<TValue> answer;
            try
            {
                answer = callback(context, value);
            }
            catch (Exception fault) // whatever a plugin throws
            {
                failures.Add(name, fault);
                continue;
            }

            if (answer.IsChanged) value = answer.Value;
            if (answer.IsLast) break;
        }

        return value;
    }
}
