namespace Broker.Grains.Storage.Sqlite;

/// <summary>The second schema: a will's message expiry.</summary>
internal static class SchemaVersion2
{
    /// <summary>The statements that bring version 1 to it.</summary>
    public const string Sql = "ALTER TABLE session ADD COLUMN will_expiry_seconds INTEGER;";
}
