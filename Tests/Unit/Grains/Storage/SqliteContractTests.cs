using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Tests.Unit.Grains.Storage;

public class FencingTests : FencingContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}

public class NodeFenceTests : NodeFenceContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}

public class OriginStoreTests : OriginStoreContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}

public class QueueStoreTests : QueueStoreContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}

public class RetainedStoreTests : RetainedStoreContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}

public class SessionStoreTests : SessionStoreContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}

internal sealed class SqlitePlaces : StorePlaces
{
    public override Task<string> NewAsync() => Task.FromResult(TestStore.NewPath());

    public override IStoreDatabase Database(string place, string node, TimeProvider clock) =>
        new SqliteDatabase(new SqliteOptions { Path = place }, node, TestStore.Codec(), clock, NullLogger<SqliteDatabase>.Instance);

    public override long Count(string place, string table) => TestStore.CountInFile(place, table);
}

public class RecordStoreTests : RecordStoreContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}

public class DelayedStoreTests : DelayedStoreContract
{
    private protected override StorePlaces Places { get; } = new SqlitePlaces();
}
