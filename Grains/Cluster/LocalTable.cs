namespace Broker.Grains.Cluster;

/// <summary>The numbered grains of one kind that are active in this process, by number. Thread-safe.</summary>
internal abstract class LocalTable<T>(int count)
    where T : class
{
    private readonly T?[] open = new T?[count];

    /// <summary>The one of a number, or null when its grain is not active here.</summary>
    public T? Find(int number) => Volatile.Read(ref open[number]);

    /// <summary>A grain has what it needs: open the direct way.</summary>
    public void Open(int number, T one) => Volatile.Write(ref open[number], one);

    /// <summary>A grain leaves: close the direct way.</summary>
    public void Close(int number) => Volatile.Write(ref open[number], null);

    /// <summary>The numbers that are open.</summary>
    public int[] Numbers() => [.. Enumerable.Range(0, open.Length).Where(number => Find(number) is not null)];

    /// <summary>Those that are open.</summary>
    public IEnumerable<T> All() => open.Select((_, number) => Find(number)).OfType<T>();
}
