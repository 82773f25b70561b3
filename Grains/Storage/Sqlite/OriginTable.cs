using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>What each session has had of each origin. Writer thread.</summary>
internal sealed class OriginTable(SqliteLink link, TimeProvider clock)
{
    private readonly SqliteStatement save = link.Prepare("""
        INSERT INTO origin (session_key, source, shard, number, touched_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (session_key, source, shard) DO UPDATE SET number = max(number, ?4), touched_at = ?5
        """);

    private readonly SqliteStatement forget = link.Prepare("DELETE FROM origin WHERE touched_at < ?1");
    private readonly SqliteStatement deleteAll = link.Prepare("DELETE FROM origin WHERE session_key = ?1");
    private readonly SqliteStatement select = link.Prepare("SELECT source, shard, number FROM origin WHERE session_key = ?1 ORDER BY source, shard");
    private readonly Dictionary<(long SessionKey, long Source, int Shard), long> noted = [];

    /// <summary>Forgets what was noted and not written: at the start of a transaction.</summary>
    public void Clear() => noted.Clear();

    /// <summary>Notes the origin of a write that has one; written once for all of the batch, by <see cref="Flush"/>.</summary>
    public void Note(StoreWrite write)
    {
        if (write is AppendToQueue { OriginMark: { } queued } append) Note(append.Lease.Key, queued);
        else if (write is SaveDelayed { OriginMark: { } waiting } save) Note(DelayedKey.OriginOwner(save.Key.Partition), waiting);
    }

    private void Note(long owner, OriginMark mark)
    {
        var key = (owner, mark.Source, mark.Shard);
        noted[key] = noted.TryGetValue(key, out var number) ? Math.Max(number, mark.Number) : mark.Number;
    }

    public void Flush()
    {
        if (noted.Count == 0) return;
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var ((sessionKey, source, shard), number) in noted) save.Bind(1, sessionKey).Bind(2, source).Bind(3, shard).Bind(4, number).Bind(5, now).Run();
        noted.Clear();
    }

    public void Forget(ForgetOrigins write)
    {
        Flush();
        forget.Bind(1, write.BeforeMs).Run();
    }

    public void RemoveAll(long sessionKey)
    {
        Flush();
        deleteAll.Bind(1, sessionKey).Run();
    }

    public List<OriginMark> Read(long sessionKey)
    {
        Flush();
        var rows = new List<OriginMark>();
        select.Bind(1, sessionKey);
        while (select.Read()) rows.Add(new OriginMark(select.Number(0), (int)select.Number(1), select.Number(2)));
        return rows;
    }
}
