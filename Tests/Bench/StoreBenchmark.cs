using System.Diagnostics;
using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.MySql;
using Broker.Grains.Storage.Sqlite;
using Broker.Grains.Storage.Writes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Serialization;

namespace Broker.Bench;

/// <summary>What the store writes per second: 64-byte messages appended to many queues and removed some time later, on a real disk.</summary>
internal static class StoreBenchmark
{
    private const int Messages = 300_000;

    /// <summary>Runs all cases in the folder that is named first, or a temporary one; or, if it is a connection string, in that database, which is emptied.</summary>
    public static void Run(string[] arguments) =>
        RunAsync(arguments.Length > 0 ? arguments[0] : Directory.CreateTempSubdirectory("broker-bench-").FullName).GetAwaiter().GetResult();

    /// <summary>Runs all cases in a folder, which should be on the disk that will hold the data, or a database, and prints one line each.</summary>
    public static async Task RunAsync(string folder)
    {
        await RunAsync(folder, "append, remove 2,000 later, 1,000 sessions", sessions: 1_000, window: 500, lag: 2_000);
        await RunAsync(folder, "the same, 100 in flight", sessions: 1_000, window: 100, lag: 2_000);
        await RunAsync(folder, "append, remove at once (coalesced or cancelled)", sessions: 1_000, window: 500, lag: 0);
        await RunAsync(folder, "backlog: append all, then remove all, 1,000 sessions", sessions: 1_000, window: 500, lag: Messages);
        await RunAsync(folder, "append, remove 2,000 later, each body shared by 10", sessions: 1_000, window: 500, lag: 2_000, sharing: 10);
    }

    private static async Task RunAsync(string folder, string title, int sessions, int window, int lag, int sharing = 1)
    {
        using var services = new ServiceCollection().AddSerializer().AddMetrics().BuildServiceProvider();
        var codec = new MessageCodec(services.GetRequiredService<Serializer<ApplicationMessage>>());
        var database = Database(folder, codec);
        var instruments = new StoreInstruments(services.GetRequiredService<IMeterFactory>());
        await using var store = new BrokerStore(database, codec, new StoreOptions(), instruments, TimeProvider.System, NullLogger<BrokerStore>.Instance);
        await store.StartAsync();
        var leases = new SessionLease[sessions];
        await Task.WhenAll(Enumerable.Range(0, sessions).Select(async i =>
        {
            var opened = await store.OpenSessionAsync("client" + i, new SessionHeader { ClientId = "client" + i, Partition = i % 16 });
            leases[i] = opened!.Lease;
        }));

        var appends = new AppendToQueue[Messages];
        using var inFlight = new InFlight(window);
        var topic = TopicName.Parse("devices/1/telemetry");
        SharedBody? shared = null;
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Messages + lag; i++)
        {
            if (i < Messages)
            {
                var message = new ApplicationMessage { Topic = topic, Payload = new byte[64], Qos = Qos.AtLeastOnce, PublisherId = "publisher1" };
                if (sharing > 1 && i % sharing == 0) shared = new SharedBody(message);
                inFlight.Enter();
                appends[i] = shared is null
                    ? new AppendToQueue(leases[i % sessions], i + 1, message, Qos.AtLeastOnce) { Observer = inFlight }
                    : new AppendToQueue(leases[i % sessions], i + 1, shared, Qos.AtLeastOnce) { Observer = inFlight };
                store.Submit(appends[i]);
            }

            var old = i - lag;
            if (old < 0) continue;
            if (i >= Messages) inFlight.Enter();
            var observer = i >= Messages ? inFlight : null;
            store.Submit(new RemoveFromQueue(appends[old].Lease, appends[old].Sequence, appends[old].Shared) { Observer = observer });
        }

        await store.GetOrCreateSettingAsync("bench.end", "1");
        var seconds = clock.Elapsed.TotalSeconds;
        var used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / Messages;
        var (half, worst) = inFlight.Latencies();
        Console.WriteLine(
            $"{title}: {Messages / seconds:N0} messages/s (append + remove), {used:F2} µs CPU each, answered after {half:F1} ms (99 %: {worst:F1}), {inFlight.Failures} failed");
    }

    private static IStoreDatabase Database(string place, MessageCodec codec)
    {
        if (place.Contains('=', StringComparison.Ordinal))
        {
            var options = new MySqlOptions(place);
            using var link = new MySqlLink(options, pooled: false, options.LockWait);
            MySqlSchema.Migrate(link, MySqlSchema.Steps);
            foreach (var table in (string[])["session", "subscription", "queue", "body", "receipt", "origin"]) link.Execute($"TRUNCATE TABLE {table}");
            return new MySqlDatabase(options, "bench-" + Guid.NewGuid().ToString("N"), codec, TimeProvider.System);
        }

        Directory.CreateDirectory(place);
        var path = Path.Combine(place, "bench.db");
        foreach (var suffix in (string[])["", "-wal", "-shm"]) File.Delete(path + suffix);
        return new SqliteDatabase(new SqliteOptions { Path = path }, "bench", codec, TimeProvider.System, NullLogger<SqliteDatabase>.Instance);
    }

    /// <summary>Holds the submitter back to a number of unreported appends, as publishers waiting for PUBACK would.</summary>
    private sealed class InFlight(int window) : IStoreObserver, IDisposable
    {
        private readonly SemaphoreSlim room = new(window);

        private readonly Queue<long> entered = new();
        private readonly List<double> latencies = [];

        public int Failures { get; private set; }

        public void Enter()
        {
            room.Wait();
            lock (entered) entered.Enqueue(Stopwatch.GetTimestamp());
        }

        /// <summary>Half are answered after, and 99 of 100, in milliseconds.</summary>
        public (double Half, double Worst) Latencies()
        {
            latencies.Sort();
            return (latencies[latencies.Count / 2], latencies[latencies.Count * 99 / 100]);
        }

        public void Dispose() => room.Dispose();

        public void Committed(StoreWrite write)
        {
            lock (entered) latencies.Add(Stopwatch.GetElapsedTime(entered.Dequeue()).TotalMilliseconds);
            room.Release();
        }

        public void Failed(StoreWrite write, StoreException reason)
        {
            Failures++;
            lock (entered) entered.Dequeue();
            room.Release();
        }
    }
}
