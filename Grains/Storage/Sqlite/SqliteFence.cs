using System.Globalization;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Nodes and their connections. A file has one node in production; a second one is a test's, or a mistake.</summary>
internal static class SqliteFence
{
    /// <summary>The condition of a row of session that it is connected to a node.</summary>
    public static string ConnectedTo(string node) => "node = " + Quote(node);

    /// <summary>Ends connections. When a node that died lost them is not known: will delay and session expiry count from now.</summary>
    /// <param name="link">A writing connection.</param>
    /// <param name="which">A condition on session.</param>
    /// <param name="nowMs">Now, in Unix milliseconds.</param>
    public static void EndConnections(SqliteLink link, string which, long nowMs) => link.Execute(string.Create(CultureInfo.InvariantCulture, $"""
        UPDATE session SET connected = 0, node = NULL, disconnected_at = {nowMs},
            will_due_at = CASE WHEN will IS NOT NULL THEN {nowMs} + will_delay_seconds * 1000 END,
            expires_at = CASE WHEN expiry_interval <> {SessionHeader.NeverExpires} THEN {nowMs} + expiry_interval * 1000 END
        WHERE connected = 1 AND {which};
        UPDATE session SET due_at = min(ifnull(will_due_at, expires_at), ifnull(expires_at, will_due_at)) WHERE disconnected_at = {nowMs} AND connected = 0;
        """));

    /// <summary>Fences a node on a connection of its own.</summary>
    public static void Fence(SqliteOptions options, string self, string node, long nowMs)
    {
        using var link = new SqliteLink(options, Microsoft.Data.Sqlite.SqliteOpenMode.ReadWrite);
        link.Execute("BEGIN IMMEDIATE");
        if (link.Query($"SELECT 1 FROM node WHERE fenced = 1 AND name = {Quote(self)}") is not null) throw new NodeFencedException(self);
        link.Execute($"INSERT INTO node (name, fenced) VALUES ({Quote(node)}, 1) ON CONFLICT (name) DO UPDATE SET fenced = 1");
        EndConnections(link, ConnectedTo(node), nowMs);
        link.Execute("COMMIT");
    }

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
