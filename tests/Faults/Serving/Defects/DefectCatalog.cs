namespace Statehouse.Faults.Serving.Defects;

/// <summary>All planted defects.</summary>
internal static class DefectCatalog
{
    public static IReadOnlyList<Defect> All { get; } = [];

    /// <returns>null where no defect has this name.</returns>
    public static Defect? Find(string name) => All.FirstOrDefault(defect => defect.Name == name);
}
