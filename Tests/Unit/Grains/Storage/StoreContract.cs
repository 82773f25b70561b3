using Broker.Grains.Storage;

namespace Broker.Tests.Unit.Grains.Storage;

/// <summary>Where stores of one kind of database live.</summary>
internal abstract class StorePlaces
{
    /// <summary>An empty place: a file, a connection string.</summary>
    public abstract Task<string> NewAsync();

    /// <summary>The database of a place, to be opened by its store.</summary>
    public abstract IStoreDatabase Database(string place, string node, TimeProvider clock);

    /// <summary>How many rows a table has.</summary>
    public abstract long Count(string place, string table);
}

/// <summary>What every <see cref="IStoreDatabase"/> does alike. A derived class says which.</summary>
public abstract class StoreContract
{
    private protected abstract StorePlaces Places { get; }

    private protected Task<string> NewPlaceAsync() => Places.NewAsync();

    private protected async Task<TestStore> OpenAsync(string? place = null, StoreOptions? options = null, TimeProvider? clock = null, string? node = null)
    {
        place ??= await NewPlaceAsync();
        clock ??= TimeProvider.System;
        node ??= TestStore.NewNode();
        return await TestStore.OpenAsync(place, node, Places.Database(place, node, clock), table => Places.Count(place, table), options, clock);
    }
}
