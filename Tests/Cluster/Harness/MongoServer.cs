using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A MongoDB of the tests' own on a free port of 127.0.0.1: `mongod` if the machine has one, which no package repository of Debian or Ubuntu does, else <see cref="MongoWireServer"/>.</summary>
internal sealed class MongoServer : IAsyncDisposable
{
    private readonly PrivateProcess? process;
    private readonly MongoWireServer? wire;

    /// <param name="pem">File with the certificate and its key: then it speaks TLS alone.</param>
    public MongoServer(string? pem = null)
    {
        Pem = pem;
        if (HasProgram) process = new PrivateProcess("mongod", "pid");
        else wire = new MongoWireServer(Port, pem is null ? null : X509Certificate2.CreateFromPemFile(pem));
    }

    /// <summary>Whether this machine has the real server.</summary>
    public static bool HasProgram { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(place => File.Exists(Path.Combine(place, "mongod")));

    /// <summary>The same after every start.</summary>
    public int Port { get; } = FreePorts.Find();

    private string? Pem { get; }

    /// <summary>Starts it on the data it has, and waits until it answers.</summary>
    public Task StartAsync()
    {
        wire?.Start();
        if (process is null) return Task.CompletedTask;
        string[] tls = Pem is null ? [] : ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", Pem];
        string[] all = ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind_ip", "127.0.0.1", "--dbpath", process.Folder, "--pidfilepath", Path.Combine(process.Folder, "pid"), .. tls];
        return process.StartAsync("mongod", all, AnswersAsync);
    }

    public Task KillAsync() => process?.KillAsync() ?? wire!.KillAsync();

    public void Freeze()
    {
        process?.Freeze();
        wire?.Freeze();
    }

    public void Thaw()
    {
        process?.Thaw();
        wire?.Thaw();
    }

    /// <summary>Inserts documents, written as JSON.</summary>
    public async Task InsertAsync(string collection, params string[] documents)
    {
        using var client = Open();
        await client.GetDatabase("mqtt").GetCollection<BsonDocument>(collection).InsertManyAsync(documents.Select(BsonDocument.Parse));
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (wire is not null) await wire.DisposeAsync();
    }

    private MongoClient Open() => new(new MongoClientSettings
    {
        Server = new MongoServerAddress("localhost", Port),
        DirectConnection = true,
        UseTls = Pem is not null,
        AllowInsecureTls = true,
        ServerSelectionTimeout = TimeSpan.FromSeconds(2),
    });

    private async Task<bool> AnswersAsync()
    {
        using var client = Open();
        try
        {
            await client.GetDatabase("mqtt").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1));
            return true;
        }
        catch (Exception fault) when (fault is MongoException or TimeoutException)
        {
            return false;
        }
    }
}
