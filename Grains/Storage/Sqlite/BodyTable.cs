using System.Buffers;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Encodes messages for the writing connection and keeps the shared ones, each once. Writer thread.</summary>
internal sealed class BodyTable
{
    private const int CounterBits = 40;

    private readonly MessageCodec codec;
    private readonly SqliteStatement insert;
    private readonly SqliteStatement deleteUnused;
    private readonly HashSet<long> present = [];
    private ArrayBufferWriter<byte> buffer = new();
    private long nextId;

    /// <param name="link">The writing connection.</param>
    /// <param name="codec">Makes the stored form.</param>
    /// <param name="start">A number no other opening of this database has: ids are unique without asking, across processes and for ever.</param>
    public BodyTable(SqliteLink link, MessageCodec codec, long start)
    {
        this.codec = codec;
        nextId = start << CounterBits;
        insert = link.Prepare("INSERT OR IGNORE INTO body (body_id, body) VALUES (?1, ?2)");
        deleteUnused = link.Prepare("DELETE FROM body WHERE body_id = ?1 AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.body_id = ?1)");
    }

    /// <summary>Forgets which bodies are known to be stored: at the start of a transaction, and when a part of it was undone.</summary>
    public void Forget() => present.Clear();

    /// <summary>The stored form, valid until the next call.</summary>
    public ReadOnlySpan<byte> Encode(ApplicationMessage message) => codec.Encode(message, ref buffer);

    /// <summary>The id of a shared body, given at its first use.</summary>
    public long Identify(SharedBody body)
    {
        if (body.Id == 0) body.Id = ++nextId;
        return body.Id;
    }

    /// <summary>Stores a shared body unless this transaction already did.</summary>
    /// <remarks>It may have been stored and released before, so it is not enough to do it once.</remarks>
    public void Store(SharedBody body)
    {
        if (!present.Add(body.Id)) return;
        insert.Bind(1, body.Id).Bind(2, Encode(body.Message)).Run();
    }

    /// <summary>Takes a body out if no queue entry refers to it any more.</summary>
    public void Release(long id)
    {
        deleteUnused.Bind(1, id).Run();
        present.Remove(id);
    }
}
