using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>Nodes: their rows, and what is done with one that died.</summary>
internal static class MySqlFence
{
    private const int SessionsAtATime = 2_000;
    private const int MostRepeats = 10;
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(7);

    /// <summary>Makes this start's row, and forgets nodes that were fenced long ago.</summary>
    /// <exception cref="NodeFencedException">It was fenced before it could start.</exception>
    public static void Join(MySqlLink link, string node, long nowMs)
    {
        var old = nowMs - (long)Remembered.TotalMilliseconds;
        link.Execute(new SqlText(255).Add("DELETE FROM node WHERE fenced = 1 AND fenced_at < ").Value(old).Add(";INSERT INTO node (name, fenced, commit_number) VALUES (")
            .Value(node).Add(",0,0) ON DUPLICATE KEY UPDATE commit_number = 0").Text);
        if (link.Number(Fenced(node)) != 0) throw new NodeFencedException(node);
    }

    /// <summary>Fences a node, then ends its connections, some thousands in one transaction: it cannot make new ones, so that the rest may follow.</summary>
    public static void Fence(MySqlOptions options, string self, string node, long nowMs)
    {
        // A frozen node may hold its row until the server ends its connection.
        var longest = options.IdleLimit + options.LockWait;
        using var link = new MySqlLink(options with { CommandTimeout = longest + options.CommandTimeout }, pooled: false, longest);
        Repeat(link, () => Mark(link, self, node, nowMs));
        while (Repeat(link, () => EndConnections(link, node, nowMs)) == SessionsAtATime)
        {
        }
    }

    private static long Mark(MySqlLink link, string self, string node, long nowMs)
    {
        // Both rows, in one order: two nodes that fence each other are not to wait for each other.
        link.Execute(new SqlText(255).Add("START TRANSACTION; SELECT name FROM node WHERE name IN (").Value(self).Add(",").Value(node).Add(") ORDER BY name FOR UPDATE").Text);
        if (link.Number(Fenced(self)) != 0)
        {
            link.Execute("ROLLBACK");
            throw new NodeFencedException(self);
        }

        link.Execute(new SqlText(255).Add("INSERT INTO node (name, fenced, fenced_at, commit_number) VALUES (").Value(node).Add(",1,").Value(nowMs)
            .Add(",0) ON DUPLICATE KEY UPDATE fenced = 1, fenced_at = COALESCE(fenced_at, VALUES(fenced_at)); COMMIT").Text);
        return 0;
    }

    /// <summary>When a node that died lost its connections is not known: will delay and session expiry count from now.</summary>
    /// <returns>How many were ended.</returns>
    private static long EndConnections(MySqlLink link, string node, long nowMs) => link.Number(new SqlText(255)
        .Add("UPDATE session SET connected = 0, node = NULL, disconnected_at = ").Value(nowMs)
        .Add(", will_due_at = IF(will IS NULL, NULL, ").Value(nowMs).Add(" + will_delay_seconds * 1000), expires_at = IF(expiry_interval = ").Value(SessionHeader.NeverExpires)
        .Add(", NULL, ").Value(nowMs).Add(" + expiry_interval * 1000), due_at = LEAST(COALESCE(will_due_at, expires_at), COALESCE(expires_at, will_due_at)) WHERE node = ")
        .Value(node).Add(" LIMIT ").Value(SessionsAtATime).Add("; SELECT ROW_COUNT()").Text) ?? 0;

    private static string Fenced(string node) => new SqlText(255).Add("SELECT COALESCE(MAX(fenced), 1) FROM node WHERE name = ").Value(node).Text;

    private static long Repeat(MySqlLink link, Func<long> act)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return act();
            }
            catch (MySqlException error) when (link.IsOpen && MySqlFaults.IsRepeatable(error) && attempt < MostRepeats)
            {
                link.Execute("ROLLBACK");
            }
        }
    }
}
