using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Broker.Grains.Storage.Writes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Broker.Tests.Unit.Grains.Storage;

/// <summary>A store on a file of its own, and what tests ask of it.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private static readonly Lazy<string> Root = new(CreateRoot);
    private static readonly ServiceProvider Services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private TestStore(string place, string node, BrokerStore store, Func<string, long> count) => (Place, Node, Store, Count) = (place, node, store, count);

    /// <summary>Its file, or connection string.</summary>
    public string Place { get; }

    /// <summary>The node it writes for.</summary>
    public string Node { get; }

    public BrokerStore Store { get; }

    /// <summary>How many rows a table has.</summary>
    public Func<string, long> Count { get; }

    public LogRecord<BrokerStore> Log { get; private init; } = new();

    public LogRecord<SqliteDatabase> DatabaseLog { get; private init; } = new();

    public required Meter Meter { get; init; }

    public static string NewPath() => System.IO.Path.Combine(NewFolder(), "broker.db");

    public static string NewNode() => "node-" + Guid.NewGuid().ToString("N");

    /// <summary>A folder that goes when the process ends.</summary>
    public static string NewFolder() => Directory.CreateDirectory(System.IO.Path.Combine(Root.Value, Guid.NewGuid().ToString("N"))).FullName;

    public static MessageCodec Codec() => new(Services.GetRequiredService<Serializer<ApplicationMessage>>());

    /// <summary>A store on a SQLite file.</summary>
    public static Task<TestStore> OpenAsync(
        string? path = null, StoreOptions? options = null, TimeProvider? clock = null, Action<SqliteOptions>? configure = null)
    {
        path ??= NewPath();
        var sqlite = new SqliteOptions { Path = path };
        configure?.Invoke(sqlite);
        LogRecord<SqliteDatabase> log = new();
        var node = NewNode();
        var database = new SqliteDatabase(sqlite, node, Codec(), clock ?? TimeProvider.System, log);
        return OpenAsync(path, node, database, table => CountInFile(path, table), options, clock, log);
    }

    /// <summary>A store on any database.</summary>
    public static async Task<TestStore> OpenAsync(
        string place, string node, IStoreDatabase database, Func<string, long> count, StoreOptions? options = null, TimeProvider? clock = null, LogRecord<SqliteDatabase>? databaseLog = null)
    {
        LogRecord<BrokerStore> log = new();
        var instruments = new StoreInstruments(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());
        var store = new BrokerStore(database, Codec(), options ?? new StoreOptions(), instruments, clock ?? TimeProvider.System, log);
        await store.StartAsync();
        return new TestStore(place, node, store, count) { Log = log, DatabaseLog = databaseLog ?? new(), Meter = instruments.Meter };
    }

    public static ApplicationMessage Message(string topic = "a/b", string payload = "payload") =>
        new() { Topic = TopicName.Parse(topic), Payload = System.Text.Encoding.UTF8.GetBytes(payload), Qos = Qos.AtLeastOnce, PublisherId = "publisher" };

    public static SessionHeader Header(string clientId, int partition = 0) => new() { ClientId = clientId, Partition = partition, ProtocolVersion = 5, CreatedAt = 7 };

    public static string Text(StoredMessage message) => System.Text.Encoding.UTF8.GetString(message.Message.Payload);

    public async Task<SessionLease> CreateAsync(string clientId) => (await OpenSessionAsync(clientId)).Lease;

    public async Task<StoredSession> OpenSessionAsync(string clientId) =>
        await Store.OpenSessionAsync(clientId, Header(clientId)) ?? throw new InvalidOperationException("A session that may be created must open.");

    /// <summary>Submits all while the writer is held, so that they meet in one batch, and gives the outcomes in order of report.</summary>
    public async Task<List<StoreException?>> WriteAsync(params Func<IStoreObserver, StoreWrite>[] writes)
    {
        StoreJournal journal = new();
        var hold = await HoldAsync();
        foreach (var write in writes) Store.Submit(write(journal));
        hold.Release();
        await journal.ReachAsync(writes.Length);
        return [.. journal.Entries.Select(entry => entry.Reason)];
    }

    public async Task<WriterHold> HoldAsync()
    {
        WriterHold hold = new();
        Store.Submit(new RemoveRetained(TopicName.Parse("no/such/topic")) { Observer = hold });
        await hold.ReachedAsync();
        return hold;
    }

    public static long CountInFile(string path, string table)
    {
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {table}";
        return (long)command.ExecuteScalar()!;
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    private static string CreateRoot()
    {
        var root = Directory.CreateTempSubdirectory("broker-store-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(root, recursive: true);
        return root;
    }
}
