using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Broker.Tests.Cluster.Harness;

/// <summary>As much of MongoDB's protocol, over real sockets, as the driver needs to find documents: for machines that have no `mongod`.</summary>
/// <remarks>It compares fields with `$eq`, below `$and` and `$or`, and refuses any other query.</remarks>
internal sealed class MongoWireServer(int port, X509Certificate2? certificate = null) : IAsyncDisposable
{
    private const int Reply = 1, Query = 2004, Message = 2013, HeaderLength = 16;
    private readonly ConcurrentDictionary<string, List<BsonDocument>> collections = new();
    private readonly ConcurrentDictionary<TcpClient, Task> connections = new();
    private TaskCompletionSource gate = new();
    private TcpListener? listener;
    private Task accepting = Task.CompletedTask;

    /// <summary>Listens; what was inserted is still there.</summary>
    public void Start()
    {
        gate.TrySetResult();
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start(1024);
        accepting = AcceptAsync(listener);
    }

    /// <summary>Closes the port and all connections.</summary>
    public async Task KillAsync()
    {
        gate.TrySetResult();
        listener?.Stop();
        await accepting;
        foreach (var client in connections.Keys) client.Dispose();
        await Task.WhenAll(connections.Values);
    }

    /// <summary>Connections stay, nothing answers.</summary>
    public void Freeze() => gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => gate.TrySetResult();

    public async ValueTask DisposeAsync() => await KillAsync();

    private async Task AcceptAsync(TcpListener own)
    {
        try
        {
            while (true)
            {
                var client = await own.AcceptTcpClientAsync();
                connections[client] = Task.CompletedTask;
                connections[client] = ServeAsync(client);
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            client.NoDelay = true;
            await using Stream stream = certificate is null ? client.GetStream() : new SslStream(client.GetStream());
            if (stream is SslStream secure) await secure.AuthenticateAsServerAsync(certificate!);
            while (true)
            {
                var header = new byte[HeaderLength];
                await stream.ReadExactlyAsync(header);
                var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - HeaderLength];
                await stream.ReadExactlyAsync(body);
                await gate.Task;
                await stream.WriteAsync(Answer(BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4)), BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12)), body));
            }
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // The client has gone, or the server was killed.
        }
        finally
        {
            client.Dispose();
        }
    }

    private byte[] Answer(int request, int kind, byte[] body)
    {
        var (fixedPart, command) = kind switch
        {
            Query => (new byte[20], Hello()), // the driver's first word, in the old form
            Message => (new byte[5], Run(Command(body))),
            _ => throw new IOException($"opcode {kind}"),
        };
        if (kind == Query) fixedPart[^4] = 1; // one document
        var document = command.ToBson();
        var answer = new byte[HeaderLength + fixedPart.Length + document.Length];
        BinaryPrimitives.WriteInt32LittleEndian(answer, answer.Length);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(8), request);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(12), kind == Query ? Reply : Message);
        fixedPart.CopyTo(answer, HeaderLength);
        document.CopyTo(answer, HeaderLength + fixedPart.Length);
        return answer;
    }

    /// <summary>The command, with the documents of its sequence as an array. [OP_MSG: flags, then sections of kind 0 (a document) or 1 (a named sequence)]</summary>
    private static BsonDocument Command(byte[] body)
    {
        var command = new BsonDocument();
        for (var at = 4; at < body.Length;)
        {
            var size = BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(at + 1));
            var section = body.AsSpan(at + 1, size);
            if (body[at] == 0)
            {
                command.Merge(Read(section));
            }
            else
            {
                var nameEnd = section[4..].IndexOf((byte)0) + 4;
                var documents = new BsonArray();
                for (var rest = section[(nameEnd + 1)..]; rest.Length > 0; rest = rest[BinaryPrimitives.ReadInt32LittleEndian(rest)..]) documents.Add(Read(rest[..BinaryPrimitives.ReadInt32LittleEndian(rest)]));
                command[System.Text.Encoding.UTF8.GetString(section[4..nameEnd])] = documents;
            }

            at += 1 + size;
        }

        return command;
    }

    private static BsonDocument Read(ReadOnlySpan<byte> bytes) => BsonSerializer.Deserialize<BsonDocument>(bytes.ToArray());

    private static BsonDocument Hello() => new()
    {
        { "ok", 1 }, { "ismaster", true }, { "isWritablePrimary", true }, { "helloOk", true }, { "minWireVersion", 0 }, { "maxWireVersion", 21 },
        { "maxBsonObjectSize", 16 * 1024 * 1024 }, { "maxMessageSizeBytes", 48_000_000 }, { "maxWriteBatchSize", 100_000 },
    };

    private BsonDocument Run(BsonDocument command)
    {
        var name = command.GetElement(0).Name;
        return name switch
        {
            "hello" or "isMaster" or "ismaster" => Hello(),
            "insert" => Insert(Documents(command), command["documents"].AsBsonArray),
            "find" => Found(command, Documents(command)),
            "ping" or "endSessions" => new BsonDocument("ok", 1),
            _ => new BsonDocument { { "ok", 0 }, { "code", 59 }, { "errmsg", $"no such command: {name}" } },
        };
    }

    private List<BsonDocument> Documents(BsonDocument command) => collections.GetOrAdd($"{command["$db"]}.{command[0]}", _ => []);

    private static BsonDocument Insert(List<BsonDocument> documents, BsonArray more)
    {
        lock (documents) documents.AddRange(more.Select(one => one.AsBsonDocument));
        return new BsonDocument { { "ok", 1 }, { "n", more.Count } };
    }

    private static BsonDocument Found(BsonDocument command, List<BsonDocument> documents)
    {
        lock (documents)
        {
            try
            {
                var found = documents.Where(one => Fits(one, command["filter"].AsBsonDocument)).Take(command.TryGetValue("limit", out var limit) && limit.ToInt32() > 0 ? limit.ToInt32() : int.MaxValue);
                return new BsonDocument { { "ok", 1 }, { "cursor", new BsonDocument { { "id", 0L }, { "ns", $"{command["$db"]}.{command[0]}" }, { "firstBatch", new BsonArray(found) } } } };
            }
            catch (NotSupportedException fault)
            {
                return new BsonDocument { { "ok", 0 }, { "code", 2 }, { "errmsg", fault.Message } };
            }
        }
    }

    private static bool Fits(BsonDocument document, BsonDocument filter) => filter.All(part => part switch
    {
        { Name: "$and", Value: BsonArray all } => all.All(one => Fits(document, one.AsBsonDocument)),
        { Name: "$or", Value: BsonArray any } => any.Any(one => Fits(document, one.AsBsonDocument)),
        { Name: not ['$', ..], Value: BsonDocument { ElementCount: 1 } comparison } when comparison.GetElement(0).Name == "$eq" => document.TryGetValue(part.Name, out var value) && value == comparison[0],
        _ => throw new NotSupportedException($"{part.Name} cannot be compared"),
    });
}
