using System.Runtime.Loader;

namespace Broker.Gateway.Hooks;

/// <summary>The callbacks of one hook point in the order in which they are called. Thread-safe: who goes through them sees them as they were at its begin.</summary>
/// <param name="changed">Called when there is one more or fewer.</param>
internal sealed class HookCallbacks<TCallback>(Action? changed = null)
    where TCallback : Delegate
{
    private readonly Lock gate = new();
    private volatile Entry[] entries = [];

    private sealed record Entry(TCallback Callback, int Priority);

    public bool IsEmpty => entries.Length == 0;

    public Enumerator GetEnumerator() => new(entries);

    /// <summary>Adds one behind those of equal or higher priority.</summary>
    /// <returns>Removes it when it is disposed.</returns>
    public IDisposable Add(TCallback callback, int priority)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var entry = new Entry(callback, priority);
        lock (gate)
        {
            var at = Array.FindIndex(entries, other => other.Priority < priority) is >= 0 and var found ? found : entries.Length;
            entries = [.. entries[..at], entry, .. entries[at..]];
        }

        changed?.Invoke();

        return new Registration(() => Remove(other => ReferenceEquals(other, entry)));
    }

    /// <summary>Removes those whose code a load context has: its plugin is to be unloaded.</summary>
    public void RemoveAll(AssemblyLoadContext context) => Remove(entry => AssemblyLoadContext.GetLoadContext(entry.Callback.Method.Module.Assembly) == context);

    private void Remove(Predicate<Entry> isMeant)
    {
        lock (gate) entries = Array.FindAll(entries, entry => !isMeant(entry));
        changed?.Invoke();
    }

    /// <summary>Goes through the callbacks without allocating.</summary>
    internal struct Enumerator
    {
        private readonly Entry[] all;
        private int at = -1;

        internal Enumerator(object all) => this.all = (Entry[])all;

        public readonly TCallback Current => all[at].Callback;

        public bool MoveNext() => ++at < all.Length;
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
